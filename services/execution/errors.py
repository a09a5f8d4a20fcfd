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


class TooManyTasks(Invalid):
    """Steps times hosts of one execution are limited; more belongs into several executions."""

    code = "too_many_tasks"
    message = "The execution has too many tasks: steps times hosts."
    message_zh = "该执行的任务数（步骤数 × 主机数）过多。"


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


class VariableUnknown(Invalid):
    """A text refers to a name that nothing stands behind; the message lists the names there are."""

    code = "variable_unknown"
    message = "There is no such variable."
    message_zh = "没有这个变量。"


class VariableFormUnknown(Invalid):
    """A reference asks for a form that does not exist or that the value does not have."""

    code = "variable_form_unknown"
    message = "This form of a variable does not exist."
    message_zh = "不存在这种变量形式。"


class VariableNeedsQuoting(Invalid):
    """A value that could mean something in a script came without an explicit form."""

    code = "variable_needs_quoting"
    message = "This value may not enter a script unquoted."
    message_zh = "该值不能不加引号地写入脚本。"


class SecretInText(Invalid):
    """Secrets reach scripts as environment only: texts and arguments can be read by others."""

    code = "secret_in_text"
    message = "A secret may not be part of a text."
    message_zh = "敏感变量不能写入文本。"


class VariableInvalid(Invalid):
    """A variable's name or value does not fit its type; the message names the variable."""

    code = "variable_invalid"
    message = "A variable is not valid."
    message_zh = "变量无效。"


class SecretsForgotten(Conflict):
    """The secrets of an execution are kept for a while after its end, and then dropped."""

    code = "secrets_forgotten"
    message = "The secrets of this execution are no longer kept; start it anew with its secrets."
    message_zh = "该执行的敏感变量已不再保存；请重新提供敏感变量后再执行。"


class SealingKeyMissing(Conflict):
    """An agent from before sealing has no key to which a secret could be sealed."""

    code = "agent_cannot_receive_secrets"
    message = "The agent of this host has no sealing key; enrol it anew to send it secrets."
    message_zh = "该主机的 Agent 没有密封密钥；请重新注册后再向其发送敏感变量。"
