"""Decisions in words that people read."""

from collections.abc import Sequence

from libs.contracts.access import Decision, Request
from libs.contracts.grants import RIGHTS, RUN_AS_ROOT, Missing

ACTIONS = {
    "view": ("see", "查看"),
    "use": ("use", "使用"),
    "execute": ("execute", "执行"),
    "edit": ("change", "修改"),
    "delete": ("delete", "删除"),
    "grant": ("pass on the rights to", "转授"),
}
OBJECTS = {
    "host": ("host", "主机"),
    "host_group": ("host group", "主机组"),
    "account": ("account", "账号"),
    "script_template": ("script template", "脚本模板"),
    "job_template": ("job template", "作业模板"),
    "plan": ("plan", "执行方案"),
    "schedule": ("schedule", "定时任务"),
    "execution": ("execution", "执行记录"),
}

_LACKS = {
    Missing.ACTION: (
        "No role gives {permission}, and no grant allows to {action} any {object}.",
        "没有角色提供 {permission}，也没有授权允许{action}任何{object}。",
    ),
    Missing.OBJECT: (
        "No role gives {permission}, and none of the grants to {action} covers {object} {id}.",
        "没有角色提供 {permission}，且没有任何{action}授权覆盖{object} {id}。",
    ),
    Missing.TIME: (
        "A grant covers {object} {id}, but it has not begun or has ended.",
        "有授权覆盖{object} {id}，但尚未生效或已到期。",
    ),
    Missing.WHAT: (
        "A grant covers {object} {id}, but not what is to be run ({what}).",
        "有授权覆盖{object} {id}，但不包含要执行的内容（{what}）。",
    ),
    Missing.ACCOUNT: (
        "A grant covers {object} {id} and {what}, but not the account {account}.",
        "有授权覆盖{object} {id} 和 {what}，但不包含账号 {account}。",
    ),
    Missing.WINDOW: (
        "A grant covers all of it, but not at this hour.",
        "有授权覆盖全部内容，但不在允许的时间段内。",
    ),
    Missing.SCOPE: (
        "This API token is not for it: its scopes do not hold {permission}.",
        "此 API 令牌不适用：其范围不包含 {permission}。",
    ),
    Missing.ROOT: (
        "A role gives {permission}, but not {root}, and no grant covers the account {account}.",
        "角色提供 {permission}，但未提供 {root}，也没有授权覆盖账号 {account}。",
    ),
}


def sentences(request: Request, decision: Decision) -> tuple[str, str]:
    """Why a decision is what it is, in English and Chinese."""
    english, chinese = ACTIONS[request.action], OBJECTS[request.object_type]
    words = {
        "permission": decision.permission or RIGHTS[request.object_type, request.action],
        "id": request.object_id,
        "what": request.what or "-",
        "account": request.account or "-",
        "root": RUN_AS_ROOT,
        "row": decision.row_id,
    }
    en = words | {"action": english[0], "object": chinese[0]}
    zh = words | {"action": english[1], "object": chinese[1]}
    if decision.missing is not None:
        first, second = _LACKS[decision.missing]
    elif decision.row_id is not None:
        first = "Grant {row} covers every part of it."
        second = "授权 {row} 覆盖全部内容。"
    else:
        first = "A role gives {permission}, which holds for every {object}."
        second = "角色提供 {permission}，适用于所有{object}。"
    return first.format(**en), second.format(**zh)


def resting(giver: str, rests_on: Sequence[int]) -> tuple[str, str]:
    """How long a grant counts that somebody gave on, in English and Chinese."""
    rows = ", ".join(map(str, rests_on))
    return (
        f"It was given by {giver or 'somebody'} under grant {rows} and ends with it.",
        f"它由 {giver or '某人'} 依据授权 {rows} 转授，并随之结束。",
    )
