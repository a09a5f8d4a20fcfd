"""What the API of captchas shows."""

from libs.kit.service import Row


class CaptchaOut(Row):
    """A picture to be answered once, within `expires_in` seconds, by the field captcha_value.

    `captcha_image` is a data URL of a PNG; `captcha_key` goes back with the answer.
    """

    captcha_key: str
    captcha_image: str
    expires_in: int
