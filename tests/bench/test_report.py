"""Figures are printed for machines and for people."""

import json
import subprocess
import sys

import pytest

from bench.__main__ import benchmarks, main
from bench.report import Figure, table
from tests.support.tree import REPOSITORY

# A benchmark that cleans up behind itself, and is waiting for something.
WAITING = """
import os, signal
from bench.__main__ import end_tidily
end_tidily()
try:
    print("started", flush=True)
    signal.pause()
finally:
    os.kill(os.getpid(), signal.SIGTERM)  # `timeout` sends it to the program and to its group
    print("cleaned up", flush=True)
"""


def test_a_figure_is_one_line_of_json_with_its_ratio() -> None:
    figure = Figure("pages_per_second", 960.0, "1/s", n=5000, reference=800.0)

    assert json.loads(figure.line()) == {
        "name": "pages_per_second",
        "value": 960.0,
        "unit": "1/s",
        "reference": 800.0,
        "ratio": 1.2,
        "n": 5000,
    }


def test_a_figure_without_reference_has_no_ratio() -> None:
    assert Figure("idle_memory", 271.5, "MB", n=1).ratio is None


def test_the_table_is_aligned() -> None:
    shown = table([Figure("a", 1.0, "ms", n=10), Figure("longer", 12345.6, "1/s", 7, 10000.0)])

    lines = shown.splitlines()
    assert [line.split()[0] for line in lines] == ["figure", "a", "longer"]
    assert lines[2].split() == ["longer", "12,346", "1/s", "10,000", "1.235", "7"]


def test_an_unknown_benchmark_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--only", "weather"]) == 2
    assert "There is no benchmark weather" in capsys.readouterr().err


def test_every_benchmark_can_be_loaded() -> None:
    assert all(callable(measure) for measure in benchmarks().values())


def test_a_benchmark_that_is_ended_cleans_up_first() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "started\n"
        running.terminate()
        said, _ = running.communicate(timeout=30)

    assert said == "cleaned up\n"
    assert running.returncode == 143
