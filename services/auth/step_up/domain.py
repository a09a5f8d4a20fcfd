"""What can be wrong with proving again to be the person of a login."""

from libs.kit.errors import Conflict, Invalid


class ProofRefused(Invalid):
    """One answer for a wrong password, and for a wrong, missing or used code."""

    code = "proof_refused"
    message = "Password or code is wrong. A code counts once: wait for the next one."
    message_zh = "密码或动态码错误。每个动态码只能使用一次，请等待下一个。"


class ProofElsewhere(Conflict):
    """There is no password here; `/api/auth/oidc/{provider}/prove/` leads to the provider."""

    code = "proof_elsewhere"
    message = "Sign in with your identity provider again to prove that it is you."
    message_zh = "请通过您的身份提供方重新登录以验证身份。"
