"""Which services exist, and where each is declared. Nothing is imported until it is asked for."""

import importlib

from libs.kit.service import Service

# name -> module that declares `service`; the order is that of start-up.
SERVICES = {
    "auth": "services.auth.app",
    "hosts": "services.hosts.app",
    "execution": "services.execution.app",
}


def load(name: str) -> Service:
    """The declaration of one service; an unknown name is a KeyError."""
    declared = importlib.import_module(SERVICES[name]).service
    if not isinstance(declared, Service):
        message = f"{SERVICES[name]} declares no service"
        raise TypeError(message)
    return declared


def load_all() -> dict[str, Service]:
    """Every service by name."""
    return {name: load(name) for name in SERVICES}
