"""One message of every type; the golden files hold exactly these."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from libs.protocol import messages as m
from libs.protocol import orders, signed

TASK: Final = "0190d1a7-52c0-7aaa-8000-000000000001"
EXECUTION: Final = "0190d1a7-52c0-7aaa-8000-0000000000e1"
AGENT: Final = "0190d1a7-52c0-7aaa-8000-0000000000a1"
BOOT: Final = "3d2f6a2e-6a51-4f3e-9f0a-0c1d2e3f4a5b"
NOW: Final = "2026-01-02T03:04:05.678901Z"
SCRIPT: Final = "echo 'grüße'\n"
SIGNATURE: Final = "A" * 86 + "=="

ORDER: Final = m.Order(
    execution_id=EXECUTION,
    task_id=TASK,
    attempt=1,
    agent_id=AGENT,
    host_name="web-1",
    script=SCRIPT,
    script_sha256=hashlib.sha256(SCRIPT.encode()).hexdigest(),
    script_type="shell",
    args=("a b", ""),
    env={"STAGE": "prod"},
    run_as=None,
    cwd=None,
    timeout_seconds=300,
    not_after=NOW,
    max_output_bytes=67108864,
)
OUTPUT: Final = m.Output(
    execution_id=EXECUTION, task_id=TASK, attempt=1, stream="stdout", seq=0, offset=0, length=6
)
MESSAGES: Final[Mapping[str, m.Message]] = {
    message.type: message
    for message in (
        m.Challenge(nonce="n" * 43, gateway_id="gateway-1", server_time=NOW),
        m.Hello(
            agent_id=AGENT,
            identity_epoch=1,
            boot_id=BOOT,
            protocol=1,
            agent_version="0.1.0",
            signature=SIGNATURE,
            hostname="web-1",
            os_type="linux",
            os_version="Debian GNU/Linux 12",
            arch="x86_64",
            cpu_count=2,
            memory_bytes=4294967296,
            interpreters=("shell", "python"),
            concurrency=4,
            tasks=(m.JournalledTask(task_id=TASK, attempt=1, state="running"),),
        ),
        m.Welcome(
            heartbeat_seconds=10, server_time=NOW, window_bytes=1048576, session_id="session-1"
        ),
        m.Tempo(heartbeat_seconds=50),
        m.Offer(order=ORDER),
        m.Claim(task_id=TASK, attempt=1),
        m.Reject(task_id=TASK, attempt=1, reason="interpreter_missing", detail="pwsh"),
        m.Grant(task_id=TASK, attempt=1, epoch=1, boot_id=BOOT),
        m.Refuse(task_id=TASK, attempt=1, reason="expired"),
        m.Started(task_id=TASK, attempt=1, epoch=1, pid=4242, started_at=NOW),
        m.Gap(
            execution_id=EXECUTION,
            task_id=TASK,
            attempt=1,
            stream="stderr",
            seq=3,
            offset=196608,
            length=10,
            reason="spool_full",
        ),
        m.Ack(task_id=TASK, attempt=1, stream="stdout", seq=1, offset=6),
        m.Want(task_id=TASK, attempt=1, stream="stdout", seq=0, offset=0),
        m.Result(
            execution_id=EXECUTION, task_id=TASK, attempt=1, payload="{}", signature=SIGNATURE
        ),
        m.ResultAck(task_id=TASK, attempt=1),
        m.Cancel(task_id=TASK, attempt=1, reason="user", grace_seconds=10),
        m.Heartbeat(
            at=NOW,
            running=1,
            queued=0,
            cpu_percent=12.5,
            memory_percent=40.0,
            disk_percent=61.2,
            disk_free_bytes=1099511627776,
            net_rx_bytes=1,
            net_tx_bytes=2,
            load1=0.42,
        ),
        m.Progress(
            task_id=TASK,
            attempt=1,
            files=(
                orders.FileProgress(
                    path="conf/app.ini",
                    state="running",
                    done=1024,
                    size=4096,
                    bytes_per_second=512,
                    seconds_left=6.0,
                ),
            ),
        ),
        signed.Signed(purpose="task.run", kid="0123456789abcdef", payload="eyJ9", sig=SIGNATURE),
        signed.Trust(bundle='{"v":1}'),
        signed.Security(
            reason="bad_signature", detail="task.run", task_id=TASK, attempt=1, count=2
        ),
        m.Bye(code=1001, reason="going away"),
    )
}
FULL_OFFER: Final = m.Offer(
    order=replace(
        ORDER,
        success_codes=(0, 3),
        outputs=True,
        secrets=(
            orders.Secret(name="TOKEN", sealed="AQID"),
            orders.Secret(name="CERT", sealed="BAUG", as_file=True),
        ),
        on_output_limit="fail",
        limits=orders.Limits(
            memory_bytes=536870912, max_processes=50, cpu_percent=150, open_files=1024
        ),
    )
)
"""An order with everything that only some scripts have."""
FILE_OFFER: Final = m.Offer(
    order=replace(
        ORDER,
        action="push",
        files=orders.FileWork(
            target="/srv/app",
            items=(
                orders.FileItem(
                    path="conf/app.ini", size=4096, sha256="ab" * 32, ticket="t.1", mode=0o640
                ),
            ),
            owner="app",
            overwrite="backup",
            bytes_per_second=5242880,
            roots=("/srv",),
        ),
    )
)
