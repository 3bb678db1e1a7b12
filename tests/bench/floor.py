# SPDX-License-Identifier: EUPL-1.2
"""The least that send_to_decrypted can take: the same three processes only commit one row each and pass 700 bytes on.

Two flushes, two hops by TLS, and the waking of three processes and one thread. No encryption of messages, no judging,
no rows for lists or search, no second frame. What send_to_decrypted takes beyond it is ours. With the pauses of
keystroke_remote it is the least that a letter takes: after a rest the same work takes longer.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.keystrokes import LONE_GAP_S
from tests.bench.office import ROOT, as_shipped, found, scratch
from tests.bench.registry import Figure, bench, median
from tests.bench.sending import GAP_S, MESSAGES, WARM_UP


def _start(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.bench.floor_run", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=as_shipped())


def _next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


RESTED, RESTED_WARM_UP = 60, 5


def latencies(folder: Path, count: int, gap_s: float) -> list[float]:
    """Milliseconds from the beginning of the sender's commit to the end of the receiver's, message by message: `count`
    of them, `gap_s` seconds apart."""
    found(folder)
    server = _start("server", folder)
    try:
        port = int(_next_line(server))
        reader = _start("reader", folder, port, count)
        _next_line(reader)
        sender = _start("sender", folder, port, count, gap_s)
        seen, sent = json.loads(_next_line(reader)), json.loads(_next_line(sender))
        for process in (reader, sender):
            process.wait(30)
    finally:
        server.terminate()
        server.wait(30)
    return [(there - here) / 1e6 for here, there in zip(sent, seen, strict=True)]


@bench("send_floor_p50_ms", "send_floor_rested_p50_ms")
def send_floor() -> list[Figure]:
    """The way of a message with nothing of ours: commit, TLS, commit, TLS, commit."""
    with scratch() as folder:
        samples = latencies(folder, MESSAGES, GAP_S)[WARM_UP:]
    with scratch() as folder:
        rested = latencies(folder, RESTED, LONE_GAP_S)[RESTED_WARM_UP:]
    least = "the least that {} can be: three commits of one row, two flushes, TLS, three processes"
    return [
        Figure(
            name="send_floor_p50_ms",
            value=median(samples),
            unit="ms",
            n=len(samples),
            note=least.format("send_to_decrypted_p50_ms"),
        ),
        Figure(
            name="send_floor_rested_p50_ms",
            value=median(rested),
            unit="ms",
            n=len(rested),
            note=least.format("keystroke_remote_p50_ms") + f", after {LONE_GAP_S} s of rest each",
        ),
    ]
