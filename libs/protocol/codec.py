"""Between messages and frames: strict in both directions, so a bad message is never sent either."""

import json
import struct
from typing import Callable, TypeVar, Union, cast

from libs.protocol.errors import ProtocolError
from libs.protocol.fields import record_reader, to_json
from libs.protocol.messages import (
    Ack,
    Bye,
    Cancel,
    Challenge,
    Claim,
    Gap,
    Grant,
    Heartbeat,
    Hello,
    Message,
    Offer,
    Output,
    Progress,
    Refuse,
    Reject,
    Result,
    ResultAck,
    Started,
    Tempo,
    Want,
    Welcome,
)
from libs.protocol.signed import Security, Signed, Trust

MAX_MESSAGE_BYTES = 1024 * 1024
"""The largest frame either side accepts, text or binary, but for signed orders."""
MAX_SIGNED_BYTES = 1_536 * 1024
"""The largest frame an agent accepts: an order of the largest size in base64."""
MAX_CHUNK_BYTES = 64 * 1024
"""The largest payload of one output frame."""
MAX_HEADER_BYTES = 4096

_HEADER_LENGTH = struct.Struct(">I")
_MESSAGE_TYPES: tuple[type, ...] = (
    Ack,
    Bye,
    Cancel,
    Challenge,
    Claim,
    Gap,
    Grant,
    Heartbeat,
    Hello,
    Offer,
    Progress,
    Refuse,
    Reject,
    Result,
    ResultAck,
    Security,
    Signed,
    Started,
    Tempo,
    Trust,
    Want,
    Welcome,
)
_Record = TypeVar("_Record")
_Reader = Callable[[dict[str, object]], object]

_READERS: dict[str, _Reader] = {cls.type: record_reader(cls) for cls in _MESSAGE_TYPES}  # type: ignore[attr-defined]
_READER_OF: dict[type, _Reader] = {cls: _READERS[cls.type] for cls in _MESSAGE_TYPES}  # type: ignore[attr-defined]
_OTHER_READERS: dict[type, _Reader] = {}
_read_output = record_reader(Output)
_write_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def encode(message: Message) -> str:
    """The text frame of a message; raises ProtocolError if a receiver would refuse it."""
    raw = to_json(message)
    reader = _READER_OF.get(type(message))
    if reader is None:
        raise ProtocolError("unknown_type", type(message).__name__)
    reader(raw)
    text = _write_json(raw)
    if _too_large(text, MAX_SIGNED_BYTES if type(message) is Signed else MAX_MESSAGE_BYTES):
        raise ProtocolError("too_large", type(message).__name__)
    return text


def decode(frame: Union[str, bytes], *, limit: int = MAX_MESSAGE_BYTES) -> Message:
    """The message in a text frame; raises ProtocolError for anything that is not exactly one."""
    raw = parse_object(frame, limit=limit)
    kind = raw.get("type")
    if type(kind) is not str:
        raise ProtocolError("missing_field" if "type" not in raw else "bad_field", "type")
    reader = _READERS.get(kind)
    if reader is None:
        raise ProtocolError("unknown_type", kind[:64])
    return cast(Message, reader(raw))


def encode_output(header: Output, payload: Union[bytes, bytearray, memoryview]) -> bytes:
    """The binary frame: header length (4 bytes, big endian), JSON header, raw bytes."""
    raw = to_json(header)
    _read_output(raw)
    if header.length != len(payload):
        raise ProtocolError("bad_output", "length differs from the payload")
    text = _write_json(raw).encode("utf-8")
    return b"".join((_HEADER_LENGTH.pack(len(text)), text, payload))


def decode_output(frame: bytes) -> tuple[Output, bytes]:
    """Header and bytes of a binary frame; raises ProtocolError unless they fit exactly."""
    if len(frame) < _HEADER_LENGTH.size:
        raise ProtocolError("bad_output", "shorter than its prefix")
    (size,) = _HEADER_LENGTH.unpack_from(frame)
    start = _HEADER_LENGTH.size + size
    if size > MAX_HEADER_BYTES or start > len(frame):
        raise ProtocolError("bad_output", "header length out of range")
    raw = parse_object(frame[_HEADER_LENGTH.size : start])
    if raw.get("type") != "output":
        raise ProtocolError("unknown_type", "a binary frame is an output")
    header = cast(Output, _read_output(raw))
    if header.length != len(frame) - start:
        raise ProtocolError("bad_output", "length differs from the payload")
    return header, frame[start:]


def decode_record(cls: type[_Record], frame: Union[str, bytes]) -> _Record:
    """A dataclass of this package that is not a message of its own, such as a result's payload."""
    return check_record(cls, parse_object(frame))


def check_record(cls: type[_Record], raw: dict[str, object]) -> _Record:
    """The same of a JSON object that was parsed already, or is about to be written."""
    reader = _OTHER_READERS.get(cls)
    if reader is None:
        reader = _OTHER_READERS[cls] = record_reader(cls)
    return cast(_Record, reader(raw))


def parse_object(frame: Union[str, bytes], *, limit: int = MAX_MESSAGE_BYTES) -> dict[str, object]:
    """One JSON object; refuses duplicate keys, NaN, huge numbers, deep nesting and bad UTF-8."""
    if len(frame) > limit or (isinstance(frame, str) and _too_large(frame, limit)):
        raise ProtocolError("too_large", str(len(frame)))
    try:
        text = frame if isinstance(frame, str) else frame.decode("utf-8")
        raw = _parse(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ProtocolError):
            raise
        raise ProtocolError("not_json", type(error).__name__) from None
    if type(raw) is not dict:
        raise ProtocolError("not_an_object")
    return raw


def _too_large(text: str, limit: int) -> bool:
    if len(text) * 4 <= limit or text.isascii():
        return len(text) > limit
    return len(text.encode("utf-8", "surrogatepass")) > limit


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    raw = dict(pairs)
    if len(raw) != len(pairs):
        raise ProtocolError("duplicate_key")
    return raw


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ProtocolError("bad_field", "a number with too many digits")
    return int(digits)


def _refuse_constant(name: str) -> object:
    raise ProtocolError("bad_field", name)


_parse = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_constant=_refuse_constant
).decode
