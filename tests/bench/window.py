# SPDX-License-Identifier: EUPL-1.2
"""The desktop itself, offscreen: how soon the unlocked shell is painted, what it holds in memory at rest, and how long
it works for a key and for a step of scrolling.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from app.core.ids import RoomId
from tests.bench import filling
from tests.bench.desk import Desk
from tests.bench.filling import store_messages
from tests.bench.office import HANDLER, ROOT, copy_of, enrol, environment, found, open_store, serving
from tests.bench.registry import Figure, bench, median, percentile

ROOMS = 10
MESSAGES = 100_000
STARTS = 7
REST_S = 30


async def build(folder: Path) -> None:
    """A desk with ten rooms of the server and 100,000 messages in them."""
    found(folder)
    with serving(folder) as port:
        await enrol(folder, HANDLER, port)
        desk = Desk(folder, HANDLER)
        desk.call("online")
        rooms = [desk.call("room", others=[]) for _ in range(ROOMS)]
        desk.call("sent")
        desk.close()
    with open_store(folder, HANDLER) as store:
        for room in rooms:
            store_messages(store, RoomId(bytes.fromhex(room)), MESSAGES // ROOMS)


def _start(folder: Path, module: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", module], stdout=subprocess.PIPE, text=True, env=environment(folder, HANDLER), cwd=ROOT
    )


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.wait(30)
    if process.stdout is not None:
        process.stdout.close()


@bench("window_shown_ms")
def window_shown() -> list[Figure]:
    """Warm: the first start is not counted."""
    samples = []
    with copy_of("ten-rooms", build, [Path(filling.__file__), Path(__file__)]) as folder, serving(folder):
        for _ in range(STARTS + 1):
            began = time.monotonic_ns()
            process = _start(folder, "tests.bench.window_run")
            assert process.stdout is not None
            samples.append((int(process.stdout.readline()) - began) / 1e6)
            _end(process)
    note = f"process start to first paint of the shell, unlocked by the raw key, {ROOMS} rooms, {MESSAGES} messages"
    return [Figure(name="window_shown_ms", value=median(samples[1:]), unit="ms", n=STARTS, note=note)]


@bench("idle_pss_mb")
def idle_pss() -> list[Figure]:
    """What the application holds in memory, connected and left alone: PSS, summed over its processes."""
    with copy_of("ten-rooms", build, [Path(filling.__file__), Path(__file__)]) as folder, serving(folder):
        process = _start(folder, "ui")
        time.sleep(REST_S)
        held = [_pss_mb(pid) for pid in _tree(process.pid)]
        _end(process)
    note = f"{REST_S} s after the start, {ROOMS} rooms, {MESSAGES} messages; "
    note += "of each process " + ", ".join(f"{mb:.0f}" for mb in held)
    return [Figure(name="idle_pss_mb", value=sum(held), unit="MB", n=1, note=note)]


def _tree(pid: int) -> list[int]:
    """A process and all that it started."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    threads = Path(f"/proc/{pid}/task").iterdir()
    below += [c for t in threads if t.name != str(pid) for c in (t / "children").read_text(encoding="utf-8").split()]
    return [pid, *(found for child in below for found in _tree(int(child)))]


def _pss_mb(pid: int) -> float:
    """Its proportional set size: what it shares is counted by parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


@bench("key_in_window_ms", "key_in_window_p95_ms", "scroll_frame_ms", "scroll_frame_p95_ms")
def window_work() -> list[Figure]:
    """What a person waits for after a key in a document, and at each step of scrolling in a chat."""
    with copy_of("ten-rooms", build, [Path(filling.__file__), Path(__file__)]) as folder, serving(folder):
        process = _start(folder, "tests.bench.window_work")
        assert process.stdout is not None
        samples = json.loads(process.stdout.readline())
        _end(process)
    keys, frames = samples["keys"], samples["frames"]
    typed = f"a letter in a document: commit, lists, painting; {ROOMS} rooms opened before"
    scrolled = f"120 px in a chat of {MESSAGES // ROOMS} messages, painted"
    return [
        Figure(name="key_in_window_ms", value=median(keys), unit="ms", n=len(keys), note=typed),
        Figure(name="key_in_window_p95_ms", value=percentile(keys, 95), unit="ms", n=len(keys)),
        Figure(name="scroll_frame_ms", value=median(frames), unit="ms", n=len(frames), note=scrolled),
        Figure(name="scroll_frame_p95_ms", value=percentile(frames, 95), unit="ms", n=len(frames)),
    ]
