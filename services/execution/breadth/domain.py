"""What is asked for in addition when something touches many hosts or executions at once."""

from libs.kit.errors import Conflict, Forbidden


class CountUnconfirmed(Conflict):
    """Nobody has said how many there are, or there are not as many: `count` is the real number.

    `field` names the field of the request in which that number is to be repeated.
    """

    code = "count_unconfirmed"
    message = "Confirm how many this concerns: repeat the request with that number in it."
    message_zh = "请确认涉及的数量：在请求中填入该数量后重试。"


class TooManyHostsForToken(Forbidden):
    """So many hosts at once as root are for people, who can prove themselves."""

    code = "too_many_hosts_for_token"
    message = "An API token cannot run as root on so many hosts at once. Log in to do this."
    message_zh = "API 令牌不能以 root 身份同时在这么多主机上执行，请登录后操作。"
