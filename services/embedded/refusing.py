"""Puts what is wrong with settings into one line."""

import sys
from collections.abc import Callable

from pydantic import ValidationError

from libs.kit.seal import KeyFileUnusable, SealingKeyMissing

EXIT_SETTINGS = 78  # what sysexits.h calls a configuration error
KEYS_MISSING = (KeyFileUnusable, SealingKeyMissing)


def with_usable_settings(body: Callable[[], None]) -> int:
    """Runs a process's body; settings that are wrong end it with one line on stderr."""
    try:
        body()
    except ValidationError as error:
        sys.stderr.write(unusable(error, f"{error.title}: ") + "\n")
        return EXIT_SETTINGS
    except KEYS_MISSING as error:
        sys.stderr.write(without_keys(error) + "\n")
        return EXIT_SETTINGS
    return 0


def without_keys(error: Exception) -> str:
    """Which key is missing, and where it belongs."""
    return f"The platform cannot start without its keys: {error}"


def unusable(error: ValidationError, prefix: str) -> str:
    """Which variables are wrong and why; never what was in them."""
    reasons = []
    for each in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in each["loc"])
        text = str(each["msg"]).removeprefix("Value error, ")
        if each["type"] == "missing":
            text = "is missing"
        reasons.append(f"{prefix}{name.upper()} {text}" if name else text)
    return "The settings are not usable: " + "; ".join(reasons) + "."
