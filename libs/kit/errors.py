"""The families of expected errors and the one envelope that every JSON answer wears."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

JSON_HEADERS: Final = (("content-type", "application/json"), ("cache-control", "no-store"))


@dataclass(frozen=True, slots=True)
class Refused:
    """What somebody was refused: the action as the audit log names it, and the object."""

    action: str = "access.denied"
    kind: str = ""
    id: str = ""
    name: str = ""
    why: str = ""


class AppError(Exception):
    """An expected failure that a caller can act on.

    ``code`` is the contract with callers; the sentences may change. ``message`` is English,
    ``zh`` Chinese; ``details`` must be free of secrets and fit for JSON. ``retry_after`` is in
    seconds and becomes the Retry-After header.
    """

    status: ClassVar[int] = 500
    code: str = "internal"
    message: str = "Something went wrong on our side."
    message_zh: str = "系统内部出现错误。"
    refused: Refused | None = None
    accounted: bool = False
    """Whether the part that raised it has recorded the refusal already."""

    def __init__(
        self,
        message: str | None = None,
        *,
        zh: str | None = None,
        retry_after: int | None = None,
        **details: object,
    ) -> None:
        if message is not None:
            self.message = message
            # A special English sentence without a Chinese one is better than a vague Chinese one.
            self.message_zh = zh or message
        elif zh is not None:
            self.message_zh = zh
        self.retry_after = retry_after
        self.details = details
        super().__init__(self.message)

    def refusing(
        self,
        action: str = "access.denied",
        *,
        kind: str = "",
        id: object = "",
        name: str = "",
        why: str = "",
    ) -> Self:
        """The same error, to be recorded in the audit log as a refusal of this.

        Needed where the status alone does not say it: ``raise HostNotFound(host_id=7)
        .refusing(kind="host", id=7)`` for a host that is there and hidden. Nothing of it is
        answered. 401 and 403 are recorded anyway. ``why`` stands there instead of the request.
        """
        self.refused = Refused(action, kind, str(id), name, why)
        return self


class Invalid(AppError):
    """The request makes no sense, whatever the state of the system."""

    status = 422
    code = "invalid"
    message = "The request contains values that are not accepted."
    message_zh = "请求中包含无效的值。"


class Malformed(AppError):
    """The bytes are not the document that they claim to be."""

    status = 400
    code = "malformed"
    message = "The request body is not valid JSON."
    message_zh = "请求体不是有效的 JSON。"


class Unauthenticated(AppError):
    """Nobody is logged in, or not any longer."""

    status = 401
    code = "unauthenticated"
    message = "Please log in."
    message_zh = "请先登录。"


class Forbidden(AppError):
    """Known, but not allowed."""

    status = 403
    code = "forbidden"
    message = "You may not do this."
    message_zh = "您没有执行此操作的权限。"


class NotFound(AppError):
    """Missing, or hidden from this caller: the two are the same from outside."""

    status = 404
    code = "not_found"
    message = "There is nothing here."
    message_zh = "请求的内容不存在。"


class MethodNotAllowed(AppError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    message = "This address does not support that method."
    message_zh = "该地址不支持此请求方法。"


class Conflict(AppError):
    """The request makes sense, but not now."""

    status = 409
    code = "conflict"
    message = "This collides with the present state."
    message_zh = "与当前状态冲突。"


class TooLarge(AppError):
    """More bytes than are accepted."""

    status = 413
    code = "too_large"
    message = "The request is too large."
    message_zh = "请求过大。"


class UnsupportedMedia(AppError):
    """A body in a form that is not read here."""

    status = 415
    code = "unsupported_media_type"
    message = "Send the body as application/json in UTF-8 without compression."
    message_zh = "请以 application/json（UTF-8，不压缩）格式发送请求体。"


class TooMany(AppError):
    """A limit on how often something may be asked."""

    status = 429
    code = "too_many"
    message = "Too many requests; please wait a moment."
    message_zh = "请求过于频繁，请稍后再试。"


class Unavailable(AppError):
    """Another part does not answer; the same request may succeed later."""

    status = 503
    code = "unavailable"
    message = "A part of the platform does not answer; please try again in a moment."
    message_zh = "平台的某个组件暂时无响应，请稍后重试。"

    def __init__(
        self,
        message: str | None = None,
        *,
        zh: str | None = None,
        retry_after: int | None = None,
        **details: object,
    ) -> None:
        super().__init__(message, zh=zh, retry_after=retry_after or 2, **details)


FAMILIES: Final[Mapping[int, type[AppError]]] = {
    family.status: family
    for family in (
        Invalid,
        Malformed,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        Conflict,
        TooLarge,
        UnsupportedMedia,
        TooMany,
        Unavailable,
    )
}


def revived(
    status: int,
    *,
    code: str,
    message: str,
    details: Mapping[str, object],
    retry_after: int | None = None,
) -> AppError:
    """The error that another service answered with: same family, same code.

    A status without a family (its 500, for one) is a part that does not work: Unavailable.
    """
    family = FAMILIES.get(status)
    if family is None:
        return Unavailable()
    error = family(message, retry_after=retry_after)
    error.details = dict(details)
    error.code = code
    error.accounted = True
    return error


def envelope(content: object, *, status: int = 200, message: str = "OK") -> dict[str, object]:
    """The shape of every JSON answer; ``code`` repeats the HTTP status."""
    return {"code": status, "message": message, "success": status < 400, "content": content}


def speaks_chinese(accept_language: str | None) -> bool:
    """Whether a reader with this Accept-Language header is served in Chinese.

    Only the first 200 characters count, so that a header of ten thousand languages costs nothing.
    """
    if not accept_language:
        return False
    best, chosen = 0.0, ""
    for part in accept_language[:200].lower().split(","):
        tag, _, rest = part.strip().partition(";")
        _, _, quality = rest.strip().partition("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag[:2] in ("zh", "en") and weight > best:
            best, chosen = weight, tag[:2]
    return chosen == "zh"


def render_error(
    err: AppError, *, request_id: str, language: str | None
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an error answer; ``language`` is the Accept-Language header."""
    content = {"error": err.code, "details": err.details, "request_id": request_id}
    message = err.message_zh if speaks_chinese(language) else err.message
    document = envelope(content, status=err.status, message=message)
    headers = [*JSON_HEADERS, ("x-request-id", request_id)]
    if err.retry_after is not None:
        headers.append(("retry-after", str(err.retry_after)))
    if err.status == 401:
        headers.append(("www-authenticate", "Bearer"))
    body = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return err.status, headers, body
