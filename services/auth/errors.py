"""What can be wrong with a request about users and sessions."""

from libs.kit.errors import Conflict, Invalid, NotFound, TooMany, Unauthenticated


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
