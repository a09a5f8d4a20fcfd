"""Example requests of hosts, groups and agents."""

from libs.contracts.grants import Action, ObjectType
from tests.matrix.examples import Entry
from tests.matrix.policies import Rule

AGENT = {"agent_id": "agent"}


def on_host(action: Action) -> Rule:
    """A permission for all hosts, or a grant on this one."""
    return Rule(f"a grant to {action} the host", ObjectType.HOST, action)


def on_group(action: Action) -> Rule:
    """The same of a group of hosts."""
    return Rule(f"a grant to {action} the group", ObjectType.HOST_GROUP, action)


ENTRIES = {
    "GET /api/hosts": Entry(Rule("hosts that one sees")),
    "POST /api/hosts": Entry(body={"name": "#host", "ip_address": "127.0.0.1"}, answers=(201,)),
    "GET /api/hosts/{host_id}": Entry(on_host(Action.VIEW), things={"host_id": "host"}),
    "PATCH /api/hosts/{host_id}": Entry(
        on_host(Action.EDIT), things={"host_id": "host"}, body={"description": "b"}, uses_up=True
    ),
    "DELETE /api/hosts/{host_id}": Entry(
        on_host(Action.DELETE), things={"host_id": "host"}, uses_up=True
    ),
    "GET /api/hosts/groups": Entry(Rule("groups that one sees")),
    "POST /api/hosts/groups": Entry(body={"name": "#group"}, answers=(201,)),
    "GET /api/hosts/groups/{group_id}": Entry(on_group(Action.VIEW), things={"group_id": "group"}),
    "PATCH /api/hosts/groups/{group_id}": Entry(
        on_group(Action.EDIT),
        things={"group_id": "subgroup"},
        body={"description": "b"},
        uses_up=True,
    ),
    "DELETE /api/hosts/groups/{group_id}": Entry(
        on_group(Action.DELETE), things={"group_id": "subgroup"}, uses_up=True
    ),
    "GET /api/agents": Entry(),
    "GET /api/agents/{agent_id}": Entry(things=AGENT),
    "DELETE /api/agents/{agent_id}": Entry(things=AGENT, uses_up=True),
    "POST /api/agents/{agent_id}/disable": Entry(things=AGENT, uses_up=True),
    "POST /api/agents/{agent_id}/enable": Entry(things=AGENT, uses_up=True),
    "POST /api/agents/{agent_id}/quarantine": Entry(
        things=AGENT, body={"reason": "two machines"}, uses_up=True
    ),
    "POST /api/agents/{agent_id}/release": Entry(things=AGENT, answers=(200, 409), uses_up=True),
    "GET /api/agents/enrolment_tokens": Entry(),
    "GET /api/agents/enrolment_tokens/gateway": Entry(Rule("the same for everybody")),
    "POST /api/agents/enrolment_tokens": Entry(body={"ttl_seconds": 60}, answers=(201,)),
    "DELETE /api/agents/enrolment_tokens/{token_id}": Entry(
        things={"token_id": "enrolment"}, uses_up=True
    ),
}
