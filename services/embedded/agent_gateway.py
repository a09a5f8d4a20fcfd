"""The agent gateway as a child of the supervisor: asks services over the control socket."""

import socket

from gateway.agents.app import serve
from libs.kit import logging
from libs.kit.settings import Settings
from services.embedded.refusing import with_usable_settings


def run(settings: Settings, listener: socket.socket) -> int:
    """Serves agents on a bound socket until SIGTERM; for a process of its own."""
    logging.configure(settings.log_level)
    return with_usable_settings(lambda: serve(settings, listener=listener))
