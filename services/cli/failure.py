"""How a command ends when it does not succeed: one line, and a number that scripts can use."""

EXIT_SOME_HOSTS_FAILED = 1
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141


class CommandFailed(Exception):
    """Ends the command with `error: <text>` on stderr.

    `code` is the stable error code of the API, when the API refused.
    """

    def __init__(
        self, text: str, *, exit_code: int = EXIT_ERROR, code: str = "", status: int = 0
    ) -> None:
        super().__init__(text)
        self.exit_code = exit_code
        self.code = code
        self.status = status
