"""Imports the platform once, forks its processes, keeps them running, stops them in order."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr, ValidationError

from libs.kit.settings import Settings
from services.embedded import (
    agent_gateway,
    control_plane,
    folder,
    forking,
    local_agent,
    migrations,
    setup,
    signer,
)
from services.embedded.children import Child
from services.embedded.listening import answers_ok, listen_private, port_of, url_of
from services.embedded.options import StartRefused
from services.embedded.refusing import EXIT_SETTINGS, unusable
from services.embedded.start import Prepared

READY_SECONDS = 60.0
MOST_DEATHS_AT_START = 3
LOG_CHECK_SECONDS = 60.0

Body = Callable[[], int | None]


def supervise(prepared: Prepared) -> int:
    """Until SIGTERM or Ctrl-C: 0, or the exit code of the first run when asked to stop after it."""
    return Supervisor(prepared).run()


class Supervisor:
    """One embedded platform. Lives in the only thread of its process."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._options = prepared.options
        self._folder = prepared.folder
        self._children = prepared.children
        self._host = prepared.options.host
        self._settings = platform_settings(prepared)
        self._url = url_of(self._host, port_of(prepared.public))
        self._agent_url = url_of(self._host, port_of(prepared.agents))

    def run(self) -> int:
        """Starts everything in order, then watches."""
        self._migrate()
        control_plane.preload()
        forking.settle_memory()
        self._make_keys()
        self._start_servers()
        self._wait_until_ready()
        took = time.monotonic() - self._prepared.began_at
        is_new = self._set_up()
        if self._options.with_agent:
            self._start_agent()
        folder.write_address(self._folder, self._url, self._agent_url)
        self._prepared.say(f"OPS Job is ready after {took:.1f} s.")
        try:
            return self._watch(is_new=is_new)
        finally:
            self._prepared.say("Stopping …")
            with contextlib.suppress(FileNotFoundError):
                self._folder.address_file.unlink()

    # ---- start -------------------------------------------------------------------------------

    def _migrate(self) -> None:
        """Brings the databases to this version in a child, only when one is behind."""
        if migrations.up_to_date(self._settings):
            return
        log = self._prepared.log("migrate")
        pid = forking.fork("opsjob: migrate", lambda: migrations.upgrade(self._settings), log=log)
        if self._children.run_to_end(pid, 600.0) != 0:
            raise StartRefused(f"The databases cannot be brought up to date{_last_line(log)}")

    def _make_keys(self) -> None:
        """In a child, so that no other process ever has them in its memory."""
        if (self._folder.trust / "bundle.json").exists():
            return
        log = self._prepared.log("signer")
        pid = forking.fork("opsjob: keys", lambda: signer.make_keys(self._settings), log=log)
        if self._children.run_to_end(pid, 60.0) != 0:
            raise StartRefused(f"The keys that sign orders cannot be made{_last_line(log)}")

    def _start_servers(self) -> None:
        prepared, settings = self._prepared, self._settings
        public, agents, control = prepared.public, prepared.agents, prepared.control
        signing = listen_private(self._folder.signer_socket)
        self._keep_running(
            "signer", lambda: signer.run(settings, signing), [public, agents, control]
        )
        plan = control_plane.Plan(settings, public, control)
        self._keep_running("control-plane", lambda: control_plane.run(plan), [agents, signing])
        self._keep_running(
            "agent-gateway", lambda: agent_gateway.run(settings, agents), [public, control, signing]
        )

    def _keep_running(self, name: str, body: Body, foreign: list[socket.socket]) -> None:
        """Forks it now and after each death; it lets go of sockets that are not its own."""
        log = self._prepared.log(name)

        def with_own_sockets() -> int | None:
            for listener in foreign:
                listener.close()
            return body()

        def start() -> int:
            return forking.fork(f"opsjob: {name}", with_own_sockets, log=log)

        self._children.add(Child(name, start))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        checks = [
            ("control-plane", port_of(self._prepared.public), "/health/ready"),
            ("agent-gateway", port_of(self._prepared.agents), "/health"),
        ]
        while checks:
            name, port, path = checks[0]
            if answers_ok(self._host, port, path):
                checks.pop(0)
                continue
            self._children.tick(0.02)
            if self._children.stopping:
                raise StartRefused("Stopped before the platform was ready.")
            if self._hopeless() or time.monotonic() > deadline:
                raise StartRefused(f"{name} does not start{_last_line(self._prepared.log(name))}")

    def _hopeless(self) -> bool:
        children = self._children
        return children.deaths() >= MOST_DEATHS_AT_START or children.ended_with(EXIT_SETTINGS)

    def _set_up(self) -> bool:
        """First admin and the local agent's identity; True if the admin was made just now."""
        before = _stamp(self._folder.first_admin_file)
        wanted = self._options.with_agent and not local_agent.is_enrolled(self._folder.agent)
        agent_url = self._agent_url if wanted else None
        log = self._prepared.log("setup")
        pid = forking.fork(
            "opsjob: setup", lambda: setup.run(self._settings, self._folder, agent_url), log=log
        )
        if self._children.run_to_end(pid, READY_SECONDS) != 0:
            raise StartRefused(f"The platform cannot be set up{_last_line(log)}")
        return _stamp(self._folder.first_admin_file) not in (None, before)

    def _start_agent(self) -> None:
        log = self._prepared.log("agent")
        state, gateway = self._folder.agent, self._agent_url
        self._children.add(Child("agent", lambda: local_agent.start(state, gateway, log)))

    # ---- afterwards --------------------------------------------------------------------------

    def _watch(self, *, is_new: bool) -> int:
        first_run = self._start_first_run()
        if first_run is None:
            self._announce(is_new=is_new)
        next_log_check = time.monotonic() + LOG_CHECK_SECONDS
        while not self._children.stopping:
            self._children.tick(5.0)
            if time.monotonic() >= next_log_check:
                folder.trim_logs(self._folder)
                next_log_check = time.monotonic() + LOG_CHECK_SECONDS
            code = self._children.result_of(first_run) if first_run is not None else None
            if code is not None:
                first_run = None
                self._announce(is_new=is_new)
                if self._options.once:
                    return code
        return 0 if not self._options.once else 128 + signal.SIGINT

    def _start_first_run(self) -> int | None:
        show = self._prepared.first_run
        if show is None:
            return None
        root = self._folder.root
        pid = forking.fork("opsjob: first-run", lambda: show(root))
        self._children.await_in_background(pid)
        return pid

    def _announce(self, *, is_new: bool) -> None:
        say = self._prepared.say
        say(f"  Console   {self._url}")
        say(f"  Agents    {self._agent_url}")
        admin = self._folder.first_admin_file
        if admin.exists():
            say(f"  Log in    name and password are in {admin} until the password is changed")
        if is_new:
            content = json.loads(admin.read_text("utf-8"))
            say(f"  Name      {content['username']}")
            say(f"  Password  {content['password']}   (shown this once)")
        if self._options.once:
            say("The first script is over, so it stops now; without --once (ONCE=1) it stays.")
        else:
            say("Ctrl-C stops it.")


def platform_settings(prepared: Prepared) -> Settings:
    """The settings of every process of this platform; what the operator set stays valid."""
    place = prepared.folder
    try:
        return Settings(
            database_url=place.database_url,
            redis_url=prepared.redis_url,
            secret=SecretStr(prepared.secret),
            data_dir=place.root,
            environment="embedded",
            log_level=prepared.options.log_level,
            internal_socket=place.control_socket,
            agent_port=port_of(prepared.agents),
            signer_socket=place.signer_socket,
        )
    except ValidationError as error:
        raise StartRefused(unusable(error, "OPSJOB_")) from None


def _stamp(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _last_line(log: Path | None) -> str:
    """The end of a sentence that says why: the last line of the log."""
    if log is None:
        return "; see its output above."
    with contextlib.suppress(OSError):
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()
        if lines:
            return f": {lines[-1]} ({log})"
    return f"; see {log}."
