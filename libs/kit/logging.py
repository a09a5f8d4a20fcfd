"""Logs as JSON lines: a short fixed sentence plus fields, with the ids of the request."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Final, TextIO

import structlog

request_id: ContextVar[str] = ContextVar("opsjob_request_id", default="")
trace_id: ContextVar[str] = ContextVar("opsjob_trace_id", default="")
language: ContextVar[str] = ContextVar("opsjob_language", default="")
"""What the caller accepts; a question to another service asks for its words in it, too."""

_SECRET_KEYS: Final = re.compile(
    r"password|passwd|secret|token|authorization|cookie|credential|private_key|api_key", re.I
)
_BEARER: Final = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{8,}|(://[^/\s:@]*:)[^@/\s]+(?=@)")


def current_request_id() -> str:
    """The id of the request that is being served, or an empty string."""
    return request_id.get()


def current_trace_id() -> str:
    """The id that ties together everything one cause has set in motion, or an empty string."""
    return trace_id.get() or request_id.get()


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module: ``log.info("Host registered.", host_id=7)``."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _masked(value: object) -> object:
    if isinstance(value, str):
        return _BEARER.sub(lambda found: f"{found[1] or found[2]}***", value)
    if isinstance(value, Mapping):
        return {k: "***" if _SECRET_KEYS.search(str(k)) else _masked(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def _mask_secrets(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    for key, value in event.items():
        event[key] = "***" if _SECRET_KEYS.search(key) and value else _masked(value)
    return event


def _add_ids(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    if request := request_id.get():
        event.setdefault("request_id", request)
    if trace := trace_id.get():
        event.setdefault("trace_id", trace)
    return event


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs of the process, ours and those of libraries, to one stream as JSON lines."""
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_ids,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _mask_secrets,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
    )
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(level)
    for noisy in ("casbin", "httpx", "httpcore", "uvicorn.access", "arq.worker"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
