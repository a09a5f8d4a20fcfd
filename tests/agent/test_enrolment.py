"""Enrolment over HTTP and the command line around it."""

import base64
import hashlib
import json
import os
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.enrolment import EnrolmentFailed, EnrolmentOrder, enrol
from agent.identity import Identity, NotEnrolled, socket_address
from agent.keys import AgentKey, KeyMissing
from agent.sealing import SealingKey
from agent.state import StateFolder
from libs.protocol.payload import enrolment_statement
from tests.agent.authority import Authority as Signers
from tests.support.certificates import Authority, tls_front

ROOT = Path(__file__).parents[2]
TOKEN = "one-time-token"


@dataclass
class Registrar:
    """Answers POST /api/agents/register like a gateway."""

    address: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    trust: str = ""

    def answer(self, body: dict[str, Any]) -> tuple[int, object]:
        self.requests.append(body)
        if body["token"] != TOKEN:
            error = {"error": "enrolment_refused", "details": {}, "request_id": "r"}
            return 401, {"code": 401, "success": False, "message": "no", "content": error}
        content = {"agent_id": "agent-9", "host_id": 4, "host_name": "web-1", "identity_epoch": 1}
        content["trust"] = self.trust
        return 201, {"code": 201, "success": True, "message": "OK", "content": content}


@pytest.fixture
def registrar() -> Iterator[Registrar]:
    registrar = Registrar()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/api/agents/register"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = registrar.answer(body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    registrar.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield registrar
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(str(tmp_path / "state"))


def command(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_key_is_made_here_and_proves_itself(registrar: Registrar, state: StateFolder) -> None:
    identity = enrol(state, EnrolmentOrder((registrar.address,), TOKEN, name="web-1"))

    (request,) = registrar.requests
    statement = enrolment_statement(
        TOKEN,
        public_key=request["public_key"],
        boot_id=request["boot_id"],
        machine_id=request["machine_id"],
        sealing_key=request["sealing_key"],
    )
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(request["public_key"]))
    key.verify(base64.b64decode(request["signature"]), statement)
    assert set(request) == {
        *("token", "public_key", "sealing_key", "signature", "hostname", "ip_address"),
        *("machine_id", "boot_id", "agent_version", "os_type", "arch"),
    }
    assert identity == Identity.load(state)
    assert identity.gateways == (registrar.address,)
    assert AgentKey.load(state.key).public_text == request["public_key"]
    sealing = SealingKey.load(state.sealing_key)
    assert sealing is not None
    assert sealing.public_text == request["sealing_key"]


def test_identity_key_and_folder_are_private(registrar: Registrar, state: StateFolder) -> None:
    enrol(state, EnrolmentOrder((registrar.address,), TOKEN))

    private = (state.key, state.sealing_key, state.identity)
    for path, mode in ((state.root, 0o700), *((path, 0o600) for path in private)):
        assert stat.S_IMODE(os.stat(path).st_mode) == mode
    assert TOKEN not in Path(state.identity).read_text()


def test_a_refused_token_leaves_no_identity(registrar: Registrar, state: StateFolder) -> None:
    with pytest.raises(EnrolmentFailed, match="401 enrolment_refused"):
        enrol(state, EnrolmentOrder((registrar.address,), "wrong"))

    with pytest.raises(NotEnrolled):
        Identity.load(state)


def test_an_enrolled_folder_is_not_enrolled_again_by_accident(
    registrar: Registrar, state: StateFolder
) -> None:
    enrol(state, EnrolmentOrder((registrar.address,), TOKEN))
    key = AgentKey.load(state.key).public_text

    with pytest.raises(EnrolmentFailed, match="enrolled already"):
        enrol(state, EnrolmentOrder((registrar.address,), TOKEN))
    assert AgentKey.load(state.key).public_text == key

    enrol(state, EnrolmentOrder((registrar.address,), TOKEN, is_forced=True))
    assert AgentKey.load(state.key).public_text != key


@pytest.mark.parametrize("address", ["ftp://x", "127.0.0.1:80", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(state: StateFolder, address: str) -> None:
    with pytest.raises(EnrolmentFailed, match="not an http or https address"):
        enrol(state, EnrolmentOrder((address,), TOKEN))


def test_a_gateway_that_is_not_there_is_said_so(state: StateFolder) -> None:
    with pytest.raises(EnrolmentFailed, match="cannot be reached"):
        enrol(state, EnrolmentOrder(("http://127.0.0.1:1",), TOKEN))


def test_a_missing_key_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        AgentKey.load(str(tmp_path / "nothing"))


def test_the_socket_address_follows_the_gateway() -> None:
    assert socket_address("http://g:8001/", "a") == "ws://g:8001/ws/agent/a"
    assert socket_address("https://g/agents", "a") == "wss://g/agents/ws/agent/a"


def test_the_command_takes_the_token_from_standard_input(
    registrar: Registrar, state: StateFolder
) -> None:
    done = command(
        "enrol", "--gateway", registrar.address, "--state", state.root, text=f"{TOKEN}\n"
    )

    assert done.returncode == 0, done.stderr
    assert "agent-9" in done.stdout
    status = command("status", "--state", state.root)
    assert status.returncode == 3
    assert json.loads(status.stdout)["is_running"] is False


def test_the_command_takes_the_token_from_a_file_and_never_from_an_argument(
    registrar: Registrar, state: StateFolder, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    where = ("enrol", "--gateway", registrar.address, "--state", state.root)

    assert command(*where, "--token", TOKEN).returncode == 2
    assert command(*where, "--token-file", str(tmp_path / "token")).returncode == 0


@pytest.mark.parametrize("verb", ["run", "status"])
def test_without_identity_a_clear_sentence_and_no_traceback(state: StateFolder, verb: str) -> None:
    done = command(verb, "--state", state.root)

    assert done.returncode == 1
    assert "run `opsjob-agent enrol` first" in done.stderr
    assert "Traceback" not in done.stderr


# ---- what is believed, by its fingerprint -----------------------------------------------------


@dataclass
class Secured:
    """The registrar behind TLS, as a proxy puts it."""

    address: str
    fingerprint: str
    ca_file: str
    ca_fingerprint: str


@pytest.fixture
def secured(registrar: Registrar, tmp_path: Path) -> Iterator[Secured]:
    authority = Authority(tmp_path)
    with tls_front(registrar.address, authority.server("localhost")) as address:
        yield Secured(
            address,
            _fingerprint(tmp_path / "localhost.pem"),
            str(authority.ca_file),
            _fingerprint(authority.ca_file),
        )


def _fingerprint(pem: Path) -> str:
    text = pem.read_text()
    der = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def test_s64_another_certificate_than_the_pinned_one_gets_no_token(
    registrar: Registrar, secured: Secured, state: StateFolder
) -> None:
    where = ("enrol", "--gateway", secured.address, "--ca-file", secured.ca_file)
    pins = ("--gateway-fingerprint", "sha256:" + "0" * 64)

    done = command(*where, *pins, "--state", state.root, text=f"{TOKEN}\n")

    assert done.returncode == 1
    assert "The token was not sent" in done.stderr
    assert secured.fingerprint in done.stderr
    assert registrar.requests == []
    with pytest.raises(NotEnrolled):
        Identity.load(state)


@pytest.mark.parametrize("pinned", ["fingerprint", "ca_fingerprint"])
def test_s64_the_pinned_certificate_or_authority_gets_it(
    secured: Secured, state: StateFolder, pinned: str
) -> None:
    order = EnrolmentOrder(
        (secured.address,), TOKEN, ca_file=secured.ca_file, gateway_pin=getattr(secured, pinned)
    )

    assert enrol(state, order).ca_file == secured.ca_file


def test_s64_a_pinned_authority_does_not_help_a_gateway_that_it_did_not_sign(
    registrar: Registrar, secured: Secured, state: StateFolder, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with tls_front(registrar.address, other.server("localhost")) as address:
        order = EnrolmentOrder(
            (address,), TOKEN, ca_file=secured.ca_file, gateway_pin=secured.ca_fingerprint
        )
        with pytest.raises(EnrolmentFailed, match="cannot be reached"):
            enrol(state, order)

    assert registrar.requests == []


def test_s64_a_certificate_that_vouches_for_itself_is_kept_for_the_sessions(
    registrar: Registrar, state: StateFolder, tmp_path: Path
) -> None:
    context = Authority(tmp_path).itself("localhost")
    pin = _fingerprint(tmp_path / "localhost.pem")
    with tls_front(registrar.address, context) as address:
        with pytest.raises(EnrolmentFailed, match="cannot be reached"):
            enrol(state, EnrolmentOrder((address,), TOKEN))
        identity = enrol(state, EnrolmentOrder((address,), TOKEN, gateway_pin=pin))

    assert identity.ca_file == state.certificate
    assert _fingerprint(Path(state.certificate)) == pin


def test_s64_a_pin_needs_a_certificate(registrar: Registrar, state: StateFolder) -> None:
    order = EnrolmentOrder((registrar.address,), TOKEN, gateway_pin="sha256:" + "0" * 64)

    with pytest.raises(EnrolmentFailed, match="has no certificate"):
        enrol(state, order)
    assert registrar.requests == []


def test_s64_another_root_key_than_the_pinned_one_is_not_obeyed(
    registrar: Registrar, state: StateFolder
) -> None:
    keys = Signers()
    registrar.trust = keys.bundle()
    root = base64.b64decode(json.loads(registrar.trust)["root"])
    pin = f"sha256:{hashlib.sha256(root).hexdigest()}"

    with pytest.raises(EnrolmentFailed, match="root key is sha256"):
        enrol(state, EnrolmentOrder((registrar.address,), TOKEN, root_pin="sha256:" + "0" * 64))
    with pytest.raises(NotEnrolled):
        Identity.load(state)
    enrol(state, EnrolmentOrder((registrar.address,), TOKEN, root_pin=pin))
    assert Identity.load(state).agent_id == "agent-9"


def test_the_command_takes_the_token_from_the_environment(
    registrar: Registrar, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSJOB_AGENT_TOKEN", TOKEN)

    done = command("enrol", "--gateway", registrar.address, "--state", state.root)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("pin", ["sha256:12", "md5:" + "0" * 64, "0" * 64, "sha256:" + "g" * 64])
def test_a_pin_that_is_none_is_refused(state: StateFolder, pin: str) -> None:
    where = ("enrol", "--gateway", "https://localhost", "--state", state.root)

    assert command(*where, "--gateway-fingerprint", pin).returncode == 2
