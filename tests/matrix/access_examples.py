"""Example requests of roles, grants, decisions and the audit log."""

from tests.matrix.examples import Entry
from tests.matrix.policies import Rule

GIVEN = Rule("who gave it, or permissions:read", shown_with="permissions:read")
TAKEN = Rule(
    "who gave it, or who could give it", shown_with="permissions:read", also="permissions:write"
)
ABOUT_OTHERS = Rule("oneself; of others with permissions:read", also="permissions:read")
ASKED = {"object_type": "host", "object_id": "@host"}
CONCERNED = Rule("those it names, or permissions:read", shown_with="permissions:read")
APPROVAL = {"approval_id": "approval"}
ROLE = {"role_id": "role"}
GRANT = {"grant_id": "grant"}
TEMPLATE = {"template_id": "template"}

A_GRANT = {
    "subject_type": "user",
    "subject_id": "@user",
    "actions": ["view"],
    "object_type": "host",
    "object_ids": ["@host"],
}
A_TEMPLATE = {
    "name": "#template",
    "parts": [{"actions": ["view"], "object_type": "host", "object_ids": ["@host"]}],
}

ENTRIES = {
    "GET /api/permissions/permissions": Entry(Rule("the catalogue")),
    "GET /api/permissions/catalogue": Entry(Rule("the catalogue")),
    "GET /api/permissions/roles": Entry(),
    "POST /api/permissions/roles": Entry(
        Rule("within one's own rights"),
        body={"name": "#role", "permissions": ["hosts:read"]},
        answers=(201,),
    ),
    "GET /api/permissions/roles/{role_id}": Entry(things=ROLE),
    "PATCH /api/permissions/roles/{role_id}": Entry(
        Rule("within one's own rights"), things=ROLE, body={"description": "new"}, uses_up=True
    ),
    "DELETE /api/permissions/roles/{role_id}": Entry(
        Rule("within one's own rights"), things=ROLE, uses_up=True
    ),
    "GET /api/permissions/grants": Entry(Rule("those one gave; all with permissions:read")),
    "POST /api/permissions/grants": Entry(
        Rule("within one's own rights, with the action grant", gives=True),
        body=A_GRANT,
        answers=(201,),
    ),
    "GET /api/permissions/grants/{grant_id}": Entry(GIVEN, things=GRANT),
    "PATCH /api/permissions/grants/{grant_id}": Entry(
        TAKEN, things=GRANT, body={"reason": "changed"}, uses_up=True
    ),
    "DELETE /api/permissions/grants/{grant_id}": Entry(TAKEN, things=GRANT, uses_up=True),
    "GET /api/permissions/templates": Entry(),
    "POST /api/permissions/templates": Entry(body=A_TEMPLATE, answers=(201,)),
    "GET /api/permissions/templates/{template_id}": Entry(things=TEMPLATE),
    "PATCH /api/permissions/templates/{template_id}": Entry(
        things=TEMPLATE, body={"description": "changed"}, uses_up=True
    ),
    "DELETE /api/permissions/templates/{template_id}": Entry(things=TEMPLATE, uses_up=True),
    "POST /api/permissions/templates/{template_id}/apply": Entry(
        Rule("within one's own rights, with the action grant", gives=True),
        things=TEMPLATE,
        body={"subjects": [{"subject_type": "user", "subject_id": "@user"}]},
        answers=(201,),
    ),
    "POST /api/permissions/check": Entry(
        Rule("about oneself"), body={**ASKED, "actions": ["view"]}
    ),
    "POST /api/permissions/check/many": Entry(
        Rule("about oneself"), body={"items": [{**ASKED, "actions": ["view"]}]}
    ),
    "POST /api/permissions/resource-permissions": Entry(
        Rule("about oneself"),
        body={"object_type": "host", "object_ids": ["@host"], "actions": ["view"]},
    ),
    "GET /api/permissions/my": Entry(Rule("about oneself")),
    "GET /api/permissions/user-permissions/{user_id}": Entry(
        ABOUT_OTHERS, things={"user_id": "user"}
    ),
    "POST /api/permissions/explain": Entry(
        ABOUT_OTHERS, body={**ASKED, "user_id": "@user", "action": "view"}
    ),
    "GET /api/permissions/who-can": Entry(query="action=view&object_type=host&object_id={host}"),
    "GET /api/permissions/view-as/{user_id}": Entry(things={"user_id": "user"}),
    "GET /api/permissions/approvals": Entry(Rule("one's own business; all with permissions:read")),
    "GET /api/permissions/approvals/{approval_id}": Entry(CONCERNED, things=APPROVAL),
    "POST /api/permissions/approvals/{approval_id}/decide": Entry(
        Rule(
            "the approvers it names; not with an API token",
            shown_with="permissions:read",
            programs=False,
            named=True,
        ),
        things=APPROVAL,
        body={"approve": True, "subject_hash": "a" * 64},
    ),
    "GET /api/permissions/audit-logs": Entry(),
    "GET /api/permissions/audit-logs/export": Entry(query="format=jsonl"),
    "GET /api/permissions/audit-logs/{record_id}": Entry(things={"record_id": "record"}),
}
