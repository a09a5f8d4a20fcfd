"""What can be wrong with a request about executions."""

from libs.kit.errors import Conflict, Invalid, Malformed, NotFound


class ExecutionNotFound(NotFound):
    """There is none with that id, or the caller may not see it."""

    code = "execution_not_found"
    message = "There is no such execution."
    message_zh = "没有这个执行。"


class ExecutionFinishedAlready(Conflict):
    """Only an execution that still has something to do can be cancelled."""

    code = "execution_finished"
    message = "The execution has already finished."
    message_zh = "执行已经结束。"


class IdempotencyKeyReused(Conflict):
    """The same key came with another request before."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request."
    message_zh = "该 Idempotency-Key 已用于另一个请求。"


class IdempotencyKeyInvalid(Invalid):
    """A key is 1 to 200 visible ASCII characters."""

    code = "idempotency_key_invalid"
    message = "An Idempotency-Key has 1 to 200 visible ASCII characters."
    message_zh = "Idempotency-Key 须为 1 到 200 个可见的 ASCII 字符。"


class NoTargets(Invalid):
    """An empty target set is an error, never everything (R4)."""

    code = "no_targets"
    message = "Name at least one host to run on."
    message_zh = "请至少指定一台主机。"


class LogPositionInvalid(Invalid):
    """A position must come from an earlier answer for the same execution."""

    code = "log_position_invalid"
    message = "This position does not belong to the execution's log."
    message_zh = "该位置不属于此执行的日志。"


class EventIdInvalid(Malformed):
    """An event id must come from an earlier event of the same kind of stream."""

    code = "event_id_invalid"
    message = "This Last-Event-ID belongs to no event of such a stream."
    message_zh = "该 Last-Event-ID 不属于此类流的任何事件。"


class OrderTooLarge(Invalid):
    """Script, arguments and variables travel to the agent in one message of at most 1 MiB."""

    code = "order_too_large"
    message = "Script, arguments and variables together are too large."
    message_zh = "脚本、参数和变量的总大小超出限制。"
