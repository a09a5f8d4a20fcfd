"""Puts what is wrong with settings into one line."""

from pydantic import ValidationError


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
