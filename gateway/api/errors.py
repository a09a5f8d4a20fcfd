"""What the gateway itself refuses, with stable codes."""

from libs.kit.errors import (
    AppError,
    Forbidden,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)


class NoSuchAddress(NotFound):
    """A path outside the URL map, or one that is not written in its single canonical form."""

    message = "There is nothing at this address."
    message_zh = "该地址不存在。"


class MethodRefused(MethodNotAllowed):
    """A method that no address of the platform answers."""


class BadHead(Malformed):
    """Headers that contradict each other or that a peer could read in two ways."""

    code = "bad_request"
    message = "The request headers are ambiguous or incomplete."
    message_zh = "请求头不完整或存在歧义。"


class HeadTooLarge(AppError):
    """More or longer headers than are read."""

    status = 431
    code = "headers_too_large"
    message = "The request headers are too large."
    message_zh = "请求头过大。"


class AddressTooLong(AppError):
    """A path or query that no page of the platform produces."""

    status = 414
    code = "uri_too_long"
    message = "The address of the request is too long."
    message_zh = "请求地址过长。"


class BodyTooLarge(TooLarge):
    """The body passes the limit of the address; `limit` is in bytes."""

    message = "The request body is larger than this address accepts."
    message_zh = "请求体超过该地址允许的大小。"


class TokenInQuery(Malformed):
    """Addresses end up in logs and histories, so a credential in one is refused, even if valid."""

    code = "token_in_query"
    message = "Credentials do not belong into the address; send them in a header."
    message_zh = "凭据不能放在地址中，请通过请求头发送。"


class CredentialRefused(Unauthenticated):
    """The credential is not known, not valid any longer, or not readable."""

    message = "The session or token is not valid; please log in again."
    message_zh = "会话或令牌无效，请重新登录。"


class CredentialsConflict(Malformed):
    """Two credentials of different people in one request."""

    code = "credentials_conflict"
    message = "The request carries two different identities."
    message_zh = "请求携带了两个不同的身份。"


class CsrfFailed(Forbidden):
    """A change that another site could have caused."""

    code = "csrf_failed"
    message = "The request did not prove that it comes from this console."
    message_zh = "无法确认该请求来自本控制台。"


class TooManyStreams(TooMany):
    """The user watches as many live streams as one user may."""

    code = "too_many_streams"
    message = "Too many live streams are open; close one of them first."
    message_zh = "打开的实时流过多，请先关闭其中一个。"


class ServiceUnreachable(Unavailable):
    """The service behind the address does not answer; `service` names it."""

    code = "service_unavailable"


class Broken(AppError):
    """A defect of ours; the log has the rest under the request id."""
