"""The floor's agent: one connection, one process per command, lines and exit code back."""

import asyncio
import contextlib
import json
import sys

from websockets.asyncio.client import ClientConnection, connect


async def run(hub: ClientConnection, command: str, shell: str) -> None:
    """Run a command in a shell and send its output as it comes."""
    process = await asyncio.create_subprocess_exec(
        shell,
        "-c",
        command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    while chunk := await process.stdout.read(65536):
        await hub.send(json.dumps({"lines": chunk.decode().splitlines()}))
    await hub.send(json.dumps({"exit_code": await process.wait()}))


async def main(url: str) -> None:
    """Serve one hub until it goes away."""
    async with connect(url, compression=None, ping_interval=None) as hub:
        async for message in hub:
            order = json.loads(message)
            await run(hub, order["command"], order["shell"])


with contextlib.suppress(KeyboardInterrupt, OSError):
    asyncio.run(main(sys.argv[1]))
