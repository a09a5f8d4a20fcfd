"""`python -m bench._plain_copy port target size [checked]`: a stream from a socket into a file.

What a file transfer is measured against: no checksum, no wait for the disk, no second name.
`checked` adds the first two, so it is what any program could reach that keeps what ours promises.
"""

import hashlib
import os
import socket
import sys

PIECE = 1024 * 1024


def main() -> None:
    """Say that we are ready, wait for a line, then copy."""
    port, target, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    digest = hashlib.sha256() if sys.argv[4:] == ["checked"] else None
    buffer = memoryview(bytearray(PIECE))
    print("ready", flush=True)
    sys.stdin.readline()
    with socket.create_connection(("127.0.0.1", port)) as wire:
        file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        left = size
        while left:
            count = wire.recv_into(buffer)
            if not count:
                sys.exit(1)
            view = buffer[:count]
            if digest is not None:
                digest.update(view)
            while view:
                view = view[os.write(file, view) :]
            left -= count
        if digest is not None:
            digest.digest()
            os.fsync(file)
        os.close(file)


if __name__ == "__main__":
    main()
