"""Example requests of executions, their output and files."""

from libs.contracts.grants import Action, ObjectType
from tests.matrix.examples import Entry
from tests.matrix.policies import Rule

RECORDS = "/api/executor/execution-records"
RECORD = f"{RECORDS}/{{execution_id}}"
RULES = "/api/executor/command_rules"
RULE = {"rule_id": "command_rule"}
LIVE = {"execution_id": "execution"}
STEP = {**LIVE, "step_id": "step"}
TASK = {**LIVE, "task_id": "task"}

RUNS = Rule("execute on every host, all of it from one grant", ObjectType.HOST, Action.EXECUTE)
OWN_FILES = Rule("one's own files; of everybody with *", shown_with="*")
OWN_UPLOADS = Rule("one's own, which the administrator began", shown_with="*", begun_by_admin=True)
ON_HOST = {"target_host_ids": ["@host"]}
SCRIPT = {"script_content": "true", **ON_HOST}
STEPS = {"name": "#run", "steps": [{"name": "one", "script_content": "true"}], **ON_HOST}
FILE = {"file_id": "file"}
UPLOAD = {"upload_id": "upload"}

RUNNING = {
    "POST /api/quick/execute_script": Entry(RUNS, body=SCRIPT, answers=(201,)),
    "POST /api/quick/transfer_file": Entry(
        RUNS,
        body={
            **ON_HOST,
            "remote_path": "/var/tmp/x/",
            "sources": [{"type": "server", "host_id": "@host", "path": "/etc/hostname"}],
        },
        answers=(201,),
    ),
    "POST /api/quick/collect_files": Entry(
        RUNS, body={**ON_HOST, "paths": ["/etc/hostname"]}, answers=(201,)
    ),
    f"POST {RECORDS}": Entry(RUNS, body=STEPS, answers=(201,)),
    f"POST {RECORDS}/preview": Entry(
        Rule("hosts that one sees", ObjectType.HOST, Action.VIEW), body=STEPS
    ),
    f"POST {RECORD}/retry": Entry(RUNS, things={"execution_id": "ended"}, answers=(200, 201, 409)),
}

READING = {
    f"GET {RECORDS}": Entry(Rule("executions that one sees")),
    f"GET {RECORD}": Entry(things=LIVE),
    f"GET {RECORD}/tasks": Entry(things=LIVE),
    f"GET {RECORD}/tasks/{{task_id}}/attempts": Entry(things=TASK),
    f"GET {RECORD}/logs": Entry(things=LIVE),
    f"GET {RECORD}/logs/lines": Entry(things=LIVE),
    f"GET {RECORD}/logs/search": Entry(things=LIVE, query="q=echo"),
    f"GET {RECORD}/logs/download": Entry(things=LIVE),
    f"GET {RECORD}/steps/{{step_id}}/hosts/{{host_id}}/logs": Entry(
        things={**STEP, "host_id": "host"}
    ),
    f"GET {RECORD}/output_groups": Entry(things=LIVE),
    f"GET {RECORD}/output_groups/diff": Entry(
        things=LIVE, query=f"b={'0' * 64}", answers=(200, 404)
    ),
    f"GET {RECORD}/operation_logs": Entry(things=LIVE),
    f"GET {RECORD}/retry_history": Entry(things=LIVE),
    f"GET {RECORD}/trace": Entry(things=LIVE),
    f"GET {RECORD}/steps/{{step_id}}/content": Entry(things=STEP),
    f"GET {RECORD}/steps/{{step_id}}/result": Entry(things=STEP),
    f"GET {RECORD}/variables": Entry(things=LIVE),
    f"GET {RECORD}/collected": Entry(things=LIVE, answers=(200, 404)),
    "GET /api/realtime/sse/{kind}/{execution_id}": Entry(things={**LIVE, "kind": "=combined"}),
    "GET /api/executor/security_events": Entry(),
    f"GET {RULES}": Entry(),
    f"GET {RULES}/{{rule_id}}": Entry(things=RULE),
    f"POST {RULES}": Entry(body={"name": "#rule", "pattern": "never seen"}, answers=(201,)),
    f"PATCH {RULES}/{{rule_id}}": Entry(things=RULE, body={"description": "Changed"}),
    f"DELETE {RULES}/{{rule_id}}": Entry(things=RULE, uses_up=True),
    f"POST {RULES}/check": Entry(body={"script_content": "true"}),
}

CONTROL = {
    f"POST {RECORDS}/bulk_stop": Entry(
        Rule("each execution is judged for itself"), body={"execution_ids": ["@ended"]}
    ),
    f"POST {RECORD}/pause": Entry(things=LIVE, answers=(202,), uses_up=True),
    f"POST {RECORD}/resume": Entry(things=LIVE, answers=(202, 409), uses_up=True),
    f"POST {RECORD}/cancel": Entry(things=LIVE, answers=(202,), uses_up=True),
    f"POST {RECORD}/force_terminate": Entry(things=LIVE, answers=(202,), uses_up=True),
    f"POST {RECORD}/tasks/{{task_id}}/cancel": Entry(things=TASK, answers=(202,), uses_up=True),
    f"POST {RECORD}/steps/{{step_id}}/skip": Entry(things=STEP, answers=(202,), uses_up=True),
    f"POST {RECORD}/steps/{{step_id}}/confirm": Entry(
        Rule("who is asked; of a step that asks nobody: who may operate"),
        things=STEP,
        body={"approve": True},
        answers=(202, 403, 409),
        uses_up=True,
    ),
    f"POST {RECORD}/ignore_step_error": Entry(
        things=LIVE, body={"step_id": "@step"}, answers=(202, 404, 409), uses_up=True
    ),
    f"POST {RECORD}/retry_step": Entry(
        RUNS, things=LIVE, body={"step_id": "@step"}, answers=(202, 404, 409), uses_up=True
    ),
}

FILES = {
    "GET /api/files": Entry(Rule("one's own files; of everybody with *")),
    "GET /api/files/usage": Entry(Rule("one's own")),
    "GET /api/files/{file_id}": Entry(OWN_FILES, things=FILE),
    "DELETE /api/files/{file_id}": Entry(OWN_FILES, things=FILE, answers=(204,), uses_up=True),
    "GET /api/files/{file_id}/content": Entry(OWN_FILES, things=FILE),
    "POST /api/files/uploads": Entry(
        body={"name": "#file", "size": 3, "sha256": "a" * 64}, answers=(201,)
    ),
    "GET /api/files/uploads/{upload_id}": Entry(OWN_UPLOADS, things=UPLOAD),
    "PUT /api/files/uploads/{upload_id}": Entry(
        OWN_UPLOADS, things=UPLOAD, query="offset=0", body=b"abc", uses_up=True
    ),
    "POST /api/files/uploads/{upload_id}/complete": Entry(
        OWN_UPLOADS, things=UPLOAD, answers=(201, 409, 422), uses_up=True
    ),
    "DELETE /api/files/uploads/{upload_id}": Entry(
        OWN_UPLOADS, things=UPLOAD, answers=(204,), uses_up=True
    ),
}

ENTRIES = RUNNING | READING | CONTROL | FILES
