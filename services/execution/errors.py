"""What can be wrong with a request about executions."""

from libs.kit.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    TooMany,
)


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


class SearchPatternInvalid(Invalid):
    """A regular expression that cannot be read, or one that needs too much memory."""

    code = "search_pattern_invalid"
    message = "This regular expression cannot be used; `reason` says why."
    message_zh = "无法使用该正则表达式，原因见 reason。"


class OutputGroupNotFound(NotFound):
    """No hosts say that, or not any more."""

    code = "output_group_not_found"
    message = "No hosts have this output now."
    message_zh = "目前没有主机输出该内容。"


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


class SecretNotAllowed(Invalid):
    """A secret by reference that the operator's settings, or its source, do not give out."""

    code = "secret_reference_not_allowed"
    message = "This secret reference is not among those that this platform may use."
    message_zh = "该密钥引用不在本平台允许使用的范围内。"


class SecretReferenceForbidden(Forbidden):
    """Who names a secret that lies elsewhere can read it, so that takes `secrets:reference`."""

    code = "secret_reference_forbidden"
    message = "You may not refer to secrets that lie elsewhere."
    message_zh = "您没有引用外部密钥的权限。"


class SecretNotFound(Conflict):
    """There is nothing where the reference leads to."""

    code = "secret_not_found"
    message = "The secret that is referred to does not exist."
    message_zh = "所引用的密钥不存在。"


class SecretUnusable(Conflict):
    """What lies there is empty, too long or no text."""

    code = "secret_unusable"
    message = "The secret that is referred to is empty, too long or no text."
    message_zh = "所引用的密钥为空、过长或不是文本。"


class SecretSourceUnavailable(Conflict):
    """The place where secrets lie does not answer, or not to us."""

    code = "secret_source_unavailable"
    message = "The place where the secret lies cannot be asked now."
    message_zh = "密钥所在的位置暂时无法访问。"


class StepNotFound(NotFound):
    """The execution has no step with that id."""

    code = "step_not_found"
    message = "There is no such step in this execution."
    message_zh = "该执行中没有这个步骤。"


class TaskNotFound(NotFound):
    """The execution has no task with that id."""

    code = "task_not_found"
    message = "There is no such task in this execution."
    message_zh = "该执行中没有这个任务。"


class ExecutionStopping(Conflict):
    """Somebody has stopped the execution, and it has not come to rest yet."""

    code = "execution_stopping"
    message = "The execution is being stopped."
    message_zh = "执行正在停止。"


class ExecutionNotPaused(Conflict):
    """Only a paused execution can be resumed."""

    code = "execution_not_paused"
    message = "The execution is not paused."
    message_zh = "执行未处于暂停状态。"


class ConfirmationNeeded(Conflict):
    """The execution waits for an answer to a confirmation step, which resuming does not give."""

    code = "confirmation_needed"
    message = "The execution waits for a confirmation; confirm or decline the step."
    message_zh = "执行正在等待确认；请确认或拒绝该步骤。"


class ExecutionStillOpen(Conflict):
    """What is to be repeated has to end first."""

    code = "execution_not_finished"
    message = "The execution has not finished yet."
    message_zh = "执行尚未结束。"


class TaskFinishedAlready(Conflict):
    """A task that has ended cannot be cancelled."""

    code = "task_finished"
    message = "The task has already finished."
    message_zh = "任务已经结束。"


class StepFinishedAlready(Conflict):
    """A step that has ended cannot be skipped."""

    code = "step_finished"
    message = "The step has already finished."
    message_zh = "步骤已经结束。"


class StepNotFinished(Conflict):
    """All hosts of a step can be tried again only when none is still at work."""

    code = "step_not_finished"
    message = "The step is still running on some hosts."
    message_zh = "该步骤仍在部分主机上运行。"


class StepNotStarted(Conflict):
    """What has not been tried cannot be tried again."""

    code = "step_not_started"
    message = "The step has not started yet."
    message_zh = "该步骤尚未开始。"


class StepNotFailed(Conflict):
    """Only the errors of a step that failed, or still runs, can be ignored."""

    code = "step_not_failed"
    message = "The step has no errors that could be ignored."
    message_zh = "该步骤没有可忽略的错误。"


class NothingToRetry(Conflict):
    """None of the hosts meant is in a state that can be tried again."""

    code = "nothing_to_retry"
    message = "There is nothing to try again."
    message_zh = "没有可重试的内容。"


class HostsNotInStep(Invalid):
    """A host was named on which the step does not run."""

    code = "hosts_not_in_step"
    message = "The step does not run on some of these hosts."
    message_zh = "其中有些主机不在该步骤中。"


class TooManyRetries(TooMany):
    """The platform repeats only so many executions at the same time."""

    code = "too_many_retries"
    message = "Too many retries are running; try again when one has finished."
    message_zh = "正在进行的重试过多；请在其中一个结束后再试。"


class NotWaitingForConfirmation(Conflict):
    """The step does not wait for an answer, or not yet."""

    code = "not_waiting_for_confirmation"
    message = "The step is not waiting for a confirmation."
    message_zh = "该步骤没有在等待确认。"


class ConfirmationDecided(Conflict):
    """Somebody has answered before, and otherwise."""

    code = "confirmation_decided"
    message = "The confirmation was already answered differently."
    message_zh = "该确认已被以不同结果答复。"


class ConfirmationExpired(Conflict):
    """The time to answer is over."""

    code = "confirmation_expired"
    message = "The time to answer this confirmation is over."
    message_zh = "该确认的答复时间已过。"


class ConfirmationNotYours(Forbidden):
    """The step names who may answer it."""

    code = "confirmation_not_yours"
    message = "You are not among those who may answer this confirmation."
    message_zh = "您不在可答复此确认的人员之列。"


class RunNotAllowed(Forbidden):
    """No role and no single grant covers host, content, account and hour; `missing` says which."""

    code = "run_not_allowed"
    message = "You may not run this on all of these hosts as these accounts now."
    message_zh = "您目前无权以所选账号在全部所选主机上执行此内容。"


class RulePatternInvalid(Invalid):
    """It cannot be read, needs too much memory, or finds something in every text."""

    code = "rule_pattern_invalid"
    message = "This pattern cannot be used; `reason` says why."
    message_zh = "无法使用该匹配模式，原因见 reason。"


class RuleNameTaken(Conflict):
    """Names of rules are in audit records and on executions; two must not be the same."""

    code = "rule_name_taken"
    message = "There is a rule with this name already."
    message_zh = "已有同名规则。"


class CommandBlocked(Forbidden):
    """A rule about dangerous commands refuses it; `findings` say which, and in which lines."""

    code = "command_blocked"
    message = "A rule about dangerous commands does not let this run."
    message_zh = "危险命令规则禁止执行此内容。"


class ApprovalNeeded(Conflict):
    """It waits for consent, or never got it; only those who are asked can change that."""

    code = "approval_needed"
    message = "This needs an approval that was not given."
    message_zh = "此操作需要审批，而审批尚未通过。"


class TooLargeToApprove(Invalid):
    """Nobody would read it; split it into several executions."""

    code = "too_large_to_approve"
    message = "This is too large for anybody to look at and approve."
    message_zh = "内容过大，无法供审批人审阅。"


class NobodyMayApprove(Conflict):
    """Without the caller there are fewer people than the rule wants."""

    code = "too_few_approvers"
    message = "A rule wants the approval of others, and there are not enough of them."
    message_zh = "规则要求他人审批，但可审批的人数不足。"
