"""What can be wrong with a request about users and sessions."""

from libs.kit.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
)


class InvalidCredentials(Unauthenticated):
    """The same for an unknown user, a wrong password and a disabled user."""

    code = "invalid_credentials"
    message = "User name or password is wrong."
    message_zh = "用户名或密码错误。"


class TooManyFailures(TooMany):
    """Failed logins slow the next ones down; Retry-After says for how long."""

    code = "too_many"
    message = "Too many failed logins. Wait a moment and try again."
    message_zh = "登录失败次数过多，请稍后再试。"


class CaptchaRequired(Unauthenticated):
    """After failures a login answers a picture before its password is looked at."""

    code = "captcha_required"
    message = "Enter the characters of the picture to log in."
    message_zh = "请输入图片中的验证码后登录。"


class CaptchaWrong(Unauthenticated):
    """Misread, used before, too old, or shown to somebody else; a new picture is needed."""

    code = "captcha_wrong"
    message = "The characters do not match the picture. Ask for a new picture."
    message_zh = "验证码错误或已失效，请获取新的验证码。"


class TooManyCaptchas(TooMany):
    """One address let many pictures go unanswered."""

    code = "too_many_captchas"
    message = "Too many pictures wait for an answer. Wait a moment and try again."
    message_zh = "验证码请求过多，请稍后再试。"


class RefreshRefused(Unauthenticated):
    """Unknown, expired, used before, or its user may not log in any more."""

    code = "refresh_refused"
    message = "This refresh token is not valid. Log in again."
    message_zh = "刷新令牌无效，请重新登录。"


class SessionEnded(Unauthenticated):
    """The session that a request came with does not exist any more."""

    code = "session_ended"
    message = "The session has ended. Log in again."
    message_zh = "会话已结束，请重新登录。"


class NotByApiToken(Forbidden):
    """API tokens make no tokens, change no password or profile and end no sessions."""

    code = "not_by_api_token"
    message = "An API token may not do this. Log in with a user name and a password."
    message_zh = "API 令牌不能执行此操作，请使用用户名和密码登录。"


class CurrentPasswordWrong(Invalid):
    """Changing a password needs the present one."""

    code = "current_password_wrong"
    message = "The current password is wrong."
    message_zh = "当前密码错误。"


class PasswordRefused(Invalid):
    """Length or content does not do."""

    code = "password_refused"
    message = "A password has 8 to 256 characters and is neither the user name nor the present one."
    message_zh = "密码须为 8 到 256 个字符，且不能与用户名或当前密码相同。"


class PasswordElsewhere(Conflict):
    """The user logs in with a password of a directory, or at an identity provider."""

    code = "password_elsewhere"
    message = "This user's password is kept elsewhere and can only be changed there."
    message_zh = "该用户的密码由外部系统管理，只能在外部系统中修改。"


class UsernameTaken(Conflict):
    """Names that differ only by case or composition are the same name."""

    code = "username_taken"
    message = "A user with this name exists already."
    message_zh = "该用户名已存在。"


class UserNotFound(NotFound):
    """There is none with that id."""

    code = "user_not_found"
    message = "There is no such user."
    message_zh = "没有这个用户。"


class UnknownRole(Invalid):
    """A role was to be given that does not exist."""

    code = "unknown_role"
    message = "There is no role of this name."
    message_zh = "没有这个名称的角色。"


class GroupNotFound(NotFound):
    """There is none with that id."""

    code = "group_not_found"
    message = "There is no such group."
    message_zh = "没有这个用户组。"


class GroupNameTaken(Conflict):
    """Names that differ only by case or composition are the same name."""

    code = "group_name_taken"
    message = "A group with this name exists already."
    message_zh = "该用户组名称已存在。"


class SessionNotFound(NotFound):
    """Ended, or somebody else's."""

    code = "session_not_found"
    message = "There is no such session."
    message_zh = "没有这个会话。"


class TokenNotFound(NotFound):
    """Revoked, or somebody else's."""

    code = "token_not_found"
    message = "There is no such API token."
    message_zh = "没有这个 API 令牌。"


class TokenNameTaken(Conflict):
    """The tokens of one user have different names."""

    code = "token_name_taken"
    message = "You have an API token with this name already."
    message_zh = "您已有同名的 API 令牌。"


class TooManyTokens(Conflict):
    """Revoke one first; expired ones count too."""

    code = "too_many_tokens"
    message = "You have as many API tokens as one user may have. Revoke one first."
    message_zh = "您的 API 令牌数量已达上限，请先吊销一个。"


class TokenExpiryRefused(Invalid):
    """Tokens end, and not within the minute."""

    code = "token_expiry_refused"
    message = "An API token ends at least a minute and at most 366 days from now."
    message_zh = "API 令牌的有效期须在一分钟到 366 天之间。"


class LastAdmin(Conflict):
    """Somebody has to be able to administer."""

    code = "last_admin"
    message = "This is the last active administrator. Make another one first."
    message_zh = "这是最后一个可用的管理员，请先设置另一位管理员。"


class UsersExist(Conflict):
    """The first administrator is made once, when nobody else is there."""

    code = "users_exist"
    message = "The first administrator can only be made while there are no users."
    message_zh = "只有在没有任何用户时才能创建首个管理员。"


class RoleNotFound(NotFound):
    """There is none with that id or key."""

    code = "role_not_found"
    message = "There is no such role."
    message_zh = "没有这个角色。"


class RoleNameTaken(Conflict):
    """Names of built-in roles are taken, too."""

    code = "role_name_taken"
    message = "A role with this name exists already."
    message_zh = "该角色名称已存在。"


class RoleIsBuiltIn(Conflict):
    """Only whether it asks for a second factor can be changed."""

    code = "role_is_built_in"
    message = "This role is built in; it can neither be deleted nor changed."
    message_zh = "内置角色不能删除或修改。"


class RoleInUse(Conflict):
    """Take it from its holders first."""

    code = "role_in_use"
    message = "Users or groups still hold this role. Take it from them first."
    message_zh = "仍有用户或用户组拥有该角色，请先收回。"


class ExceedsOwnRights(Forbidden):
    """Nobody gives away more than they hold, nor for longer."""

    code = "exceeds_own_rights"
    message = "You cannot give, or take away, more than you hold yourself."
    message_zh = "您不能授予或收回超出自身权限的内容。"


class GrantNotFound(NotFound):
    """There is none with that id."""

    code = "grant_not_found"
    message = "There is no such grant."
    message_zh = "没有这项授权。"


class SubjectNotFound(NotFound):
    """The user or group that is to get something does not exist."""

    code = "subject_not_found"
    message = "There is no such user or group."
    message_zh = "没有这个用户或用户组。"


class GrantOver(Conflict):
    """A grant that was revoked or has ended stays as it is."""

    code = "grant_over"
    message = "This grant was revoked or has ended."
    message_zh = "该授权已被撤销或已到期。"


class TemplateNotFound(NotFound):
    """There is none with that id."""

    code = "template_not_found"
    message = "There is no such template of grants."
    message_zh = "没有这个授权模板。"


class TemplateNameTaken(Conflict):
    """Names that differ only by case are the same name."""

    code = "template_name_taken"
    message = "A template with this name exists already."
    message_zh = "该授权模板名称已存在。"


class ApprovalNotFound(NotFound):
    """There is none with that id, or it is none of the caller's business."""

    code = "approval_not_found"
    message = "There is no such approval."
    message_zh = "没有这个审批。"


class ApprovalClosed(Conflict):
    """It was decided, withdrawn or has expired."""

    code = "approval_closed"
    message = "This approval is not open any more."
    message_zh = "该审批已结束。"


class ApprovalNotYours(Forbidden):
    """The requester never decides, nor does anybody who was not asked."""

    code = "approval_not_yours"
    message = "You are not one of those who may decide this."
    message_zh = "您不是该审批的审批人。"


class DecidedAlready(Conflict):
    """Everybody decides once."""

    code = "decided_already"
    message = "You have decided this already."
    message_zh = "您已对此作出决定。"


class TooFewApprovers(Invalid):
    """Without the requester there are fewer than the quorum."""

    code = "too_few_approvers"
    message = "There are not enough people who could approve this."
    message_zh = "可审批的人数不足。"


class AuditRecordNotFound(NotFound):
    """There is no record with that number, or none any longer."""

    code = "audit_record_not_found"
    message = "There is no such record in the audit log."
    message_zh = "审计日志中没有这条记录。"


class ExportTooLarge(Invalid):
    """A sheet cannot hold so many rows; `most` says how many it can."""

    code = "export_too_large"
    message = "More records match than an XLSX file can hold. Choose a shorter time, CSV or JSONL."
    message_zh = "匹配的记录超过 XLSX 文件的上限，请缩小时间范围，或选择 CSV、JSONL 格式。"


class ContentChanged(Conflict):
    """What the caller looked at is not what would be approved."""

    code = "content_changed"
    message = "The content has changed since you looked at it. Look at it again."
    message_zh = "内容在您查看之后已变更，请重新查看。"
