"""The one error of the protocol."""


class ProtocolError(ValueError):
    """A frame that this version of the protocol refuses as a whole.

    `reason` is a short stable word for counters and close frames: `not_json`, `not_an_object`,
    `duplicate_key`, `too_large`, `unknown_type`, `missing_field`, `unknown_field`, `bad_field`,
    `bad_output`.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
