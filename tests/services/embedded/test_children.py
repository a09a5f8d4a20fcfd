"""The supervisor's children: started again with growing pauses, stopped in reverse order.

The supervisor needs a process of its own with one thread, so each test runs a small program.
"""

import json
import subprocess
import sys
import textwrap

from tests.support.platform import clean_environment

PREAMBLE = """
import json, os, signal, sys, time
from services.embedded import forking
from services.embedded.children import Child, Children

said = []
children = Children(say=said.append)
children.watch_signals()

def sleeping():
    signal.pause()

def fork(body, title="child"):
    return lambda: forking.fork(title, body)

def wait(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, said
        children.tick(0.02)
"""


def run(program: str) -> object:
    """What the program printed as JSON; it must end by itself."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(program)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_killed_child_comes_back() -> None:
    answer = run("""
        child = Child("sleeper", fork(sleeping))
        children.add(child)
        first = child.pid
        os.kill(first, signal.SIGKILL)
        wait(lambda: child.pid not in (0, first))
        children.stop_all()
        print(json.dumps([said, child.deaths]))
    """)

    assert answer == [["sleeper stopped by signal 9; it starts again in 0.2 s."], 1]


def test_a_child_that_cannot_run_is_tried_less_and_less_often() -> None:
    answer = run("""
        children.add(Child("broken", fork(lambda: 3)))
        wait(lambda: len(said) == 4)
        children.stop_all()
        print(json.dumps([said, children.deaths()]))
    """)

    assert answer == [
        [
            f"broken stopped with exit code 3; it starts again in {pause} s."
            for pause in (0.2, 0.4, 0.8, 1.6)
        ],
        4,
    ]


def test_they_stop_in_reverse_order_and_the_stubborn_is_killed() -> None:
    answer = run("""
        reading, writing = os.pipe()

        def orderly(name):
            def body():
                def leave(number, frame):
                    os.write(writing, name.encode())
                    os._exit(0)
                signal.signal(signal.SIGTERM, leave)
                os.write(writing, b".")
                while True:
                    signal.pause()
            return body

        def stubborn():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(writing, b".")
            while True:
                time.sleep(60)

        children.add(Child("a", fork(orderly("a"))))
        children.add(Child("b", fork(orderly("b"))))
        children.add(Child("c", fork(stubborn), stop_seconds=0.3))
        ready = b""
        while len(ready) < 3:
            ready += os.read(reading, 3)
        began = time.monotonic()
        children.stop_all()
        os.close(writing)
        print(json.dumps([os.read(reading, 10).decode(), time.monotonic() - began < 5, said]))
    """)

    assert answer == ["ba", True, []]


def test_what_runs_once_gives_its_exit_code() -> None:
    answer = run("""
        good = children.run_to_end(forking.fork("good", lambda: 0), 10)
        bad = children.run_to_end(forking.fork("bad", lambda: 7), 10)
        broken = children.run_to_end(forking.fork("broken", lambda: 1 // 0), 10)
        slow = children.run_to_end(forking.fork("slow", sleeping), 0.2)
        print(json.dumps([good, bad, broken, slow]))
    """)

    assert answer == [0, 7, 1, None]


def test_a_signal_to_stop_is_noticed_at_once() -> None:
    answer = run("""
        children.add(Child("sleeper", fork(sleeping)))
        os.kill(os.getpid(), signal.SIGTERM)
        children.tick(600)  # longer than this program is waited for
        children.stop_all()
        print(json.dumps(children.stopping))
    """)

    assert answer is True


def test_a_child_dies_with_its_parent() -> None:
    """Also when the parent is killed and can do nothing more."""
    answer = run("""
        reading, writing = os.pipe()

        def middle():
            os.write(writing, f"{forking.fork('grandchild', sleeping)}\\n".encode())
            signal.pause()

        pid = forking.fork("middle", middle)
        grandchild = int(os.read(reading, 20))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

        def gone():
            try:
                with open(f"/proc/{grandchild}/stat") as file:
                    return file.read().split(") ")[1][0] == "Z"
            except FileNotFoundError:
                return True

        wait(gone)
        print(json.dumps(gone()))
    """)

    assert answer is True
