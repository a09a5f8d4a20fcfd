"""Fixtures: one real agent with a small gateway, and a C library that lies to a process."""

from tests.agent.conftest import agent, gateway, idle_agent
from tests.support.faulty_libc import faulty_libc

__all__ = ["agent", "faulty_libc", "gateway", "idle_agent"]
