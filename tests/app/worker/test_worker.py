# SPDX-License-Identifier: EUPL-1.2
"""The worker's process: what it merges, what ends it, and what it has of this program."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.errors import BadChange, WorkerDied, WorkerUnavailable
from app.objects.crdt import CrdtMap
from app.worker import frames
from app.worker.client import Worker
from app.worker.frames import MAX_FRAME, Load, Try
from app.worker.serve import Serving
from app.worker.soon import QUICK_BYTES
from tests.app.poison import MORTAL, SEEDS, deep_update, fatal, written
from tests.world import until

on_the_loop = pytest.mark.skipif(sys.platform == "win32", reason="a loop on Windows cannot watch a pipe")
OBJ = b"o" * 16
BOARD = ("board", "columns", "cards", "labels")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


def test_it_merges_what_is_honest_and_reports_what_is_no_update(worker: Worker) -> None:
    worker.load(OBJ, ("text",), ("meta",), [])
    found = worker.try_(OBJ, [written("meta", "title", "Beslut å 🙂"), b"\x00\x01 no update"], thorough=True)
    assert found.merged == (True, False)
    assert found.is_read
    worker.read(OBJ)
    worker.forget(OBJ)
    assert worker.generation == 0


def test_attack_an_update_after_which_an_object_cannot_be_read_is_not_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it counted as merged, a change could pass after which the program cannot open the object."""
    serving = Serving()
    serving.answer(Load(OBJ, ("text",), ("meta",), (), first=True, last=True))
    to_python = CrdtMap.to_python

    def read(values: CrdtMap) -> dict[str, object]:
        found = to_python(values)
        if "poison" in found:
            raise BadChange
        return found

    monkeypatch.setattr(CrdtMap, "to_python", read)
    updates = (written("meta", "title", "Beslut å 🙂"), written("meta", "poison", "1"), written("meta", "more", "2"))
    found = serving.answer(Try(OBJ, updates, thorough=True))
    assert (found.merged, found.is_read, len(found.each_us)) == ((True,), False, 2)


def test_it_reports_how_long_each_merge_took_and_how_long_loading(worker: Worker) -> None:
    """A merge compares each new item with all that others wrote at the same place."""
    at_one_place = [_at_the_start(client, 1) for client in range(1, 300)]
    assert worker.load(OBJ, ("text",), (), at_one_place).took_us > 0
    tiny, conflict = worker.try_(OBJ, [_at_the_start(300, 1), _at_the_start(301, 2000)], thorough=False).each_us
    assert tiny < conflict


def _at_the_start(client: int, items: int) -> bytes:
    """An update of so many characters, each at the beginning of the text, as if the text were empty."""
    low, high = client & 0x7F | 0x80, client >> 7
    head = bytes((1, items & 0x7F | 0x80, items >> 7)) if items > 127 else bytes((1, items))
    number = bytes((low, high)) if high else bytes((client,))
    return head + number + b"\x00" + b"\x04\x01\x04text\x01a" * items + b"\x00"


def test_attack_updates_that_are_long_together_or_alone_end_no_worker(worker: Worker) -> None:
    """A frame of more than 32 MiB ended the worker: a cached state, or all updates that had waited for one change."""
    honest = written("meta", "title", "Beslut å 🙂")
    long = [bytes(4 * 1024 * 1024)] * 9
    assert worker.load(OBJ, ("text",), ("meta",), [bytes(MAX_FRAME + 1), honest]).merged == (False, True)
    found = worker.try_(OBJ, [honest, *long, bytes(MAX_FRAME + 1), honest], thorough=False)
    assert found.merged == (True, *(False for _ in long), False, True)
    assert len(found.each_us) == len(found.merged)
    assert worker.generation == 0


@pytest.mark.parametrize("poison", [SEEDS, (deep_update("board"),)], ids=["two-updates", "nested"])
def test_attack_what_breaks_the_grammar_is_no_update_to_the_worker(worker: Worker, poison: Sequence[bytes]) -> None:
    """Audit finding 1: of these the library's process died. It is given none of them."""
    worker.load(OBJ, (), BOARD, [])
    assert not all(worker.try_(OBJ, poison, thorough=True).merged)
    assert worker.generation == 0


def test_attack_an_update_of_which_native_code_dies_ends_the_worker_alone() -> None:
    worker = Worker([sys.executable, "-c", MORTAL])
    worker.load(OBJ, (), BOARD, [])
    with pytest.raises(WorkerDied):
        worker.try_(OBJ, [fatal("cards")], thorough=True)
    worker.load(OBJ, (), BOARD, [])  # another process
    assert worker.generation == 1
    worker.close()


def test_attack_a_worker_that_answers_too_late_is_ended() -> None:
    slow = Worker([sys.executable, "-c", "import sys; sys.stdin.read()"], answer_s=0.2)
    with pytest.raises(WorkerDied):
        slow.try_(OBJ, [], thorough=False)
    slow.close()


ANSWERS_ONCE = """
import os, sys, time
from app.worker.frames import Tried, write
os.read(0, 65536)
os.close(0)
write(sys.stdout.buffer, Tried((), True, 0))
time.sleep(60)
"""


def test_a_worker_that_ends_before_it_is_asked_is_reported() -> None:
    """The question is left in the buffer of the pipe, which cannot write it when it is closed either."""
    ends = Worker([sys.executable, "-c", ANSWERS_ONCE])
    ends.read(OBJ)
    with pytest.raises(WorkerDied):
        ends.read(OBJ)
    ends.close()


@pytest.mark.parametrize("lie", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x09\x93"])
def test_attack_no_answer_of_a_worker_that_was_taken_over_is_believed(lie: bytes) -> None:
    """Too long, no msgpack, cut off: the answer is none, and the process is ended."""
    assert int.from_bytes(lie[:4], "big") > MAX_FRAME or len(lie) < 64
    liar = Worker([sys.executable, "-c", f"import sys; sys.stdout.buffer.write({lie!r}); sys.stdout.close()"])
    with pytest.raises(WorkerDied):
        liar.try_(OBJ, [], thorough=False)
    liar.close()


@on_the_loop
async def test_a_short_question_is_asked_on_the_loop(worker: Worker) -> None:
    """It gets the same answer as in a thread; without a process, or if it is long, it is left to the thread."""
    honest = written("meta", "title", "Beslut å 🙂")
    assert await worker.try_soon(OBJ, [honest]) is None
    worker.load(OBJ, ("text",), ("meta",), [])
    found = await worker.try_soon(OBJ, [honest, b"\x00\x01 no update"])
    assert found is not None
    assert found.merged == (True, False)
    assert await worker.try_soon(OBJ, [bytes(QUICK_BYTES + 1)]) is None
    worker.read(OBJ)  # the next question meets its own answer
    assert worker.generation == 0


@on_the_loop
async def test_attack_a_worker_that_dies_or_lies_at_a_short_question_is_ended() -> None:
    for command, load in ((MORTAL, True), ("import sys; sys.stdin.buffer.read(9); print('no answer')", False)):
        worker = Worker([sys.executable, "-c", command])
        if load:
            worker.load(OBJ, (), BOARD, [])
        else:
            worker.start()
        with pytest.raises(WorkerDied):
            await worker.try_soon(OBJ, [fatal("cards")])
        assert worker.generation == 1
        worker.close()


@on_the_loop
async def test_attack_a_short_question_that_is_answered_too_late_ends_the_worker() -> None:
    slow = Worker([sys.executable, "-c", "import sys; sys.stdin.read()"], answer_s=0.2)
    slow.start()
    with pytest.raises(WorkerDied):
        await slow.try_soon(OBJ, [])
    slow.close()


@on_the_loop
async def test_whoever_gives_up_a_short_question_ends_the_worker(worker: Worker) -> None:
    """Its answer would be taken for that to the next question."""
    worker.load(OBJ, ("text",), (), [])
    asking = asyncio.ensure_future(worker.try_soon(OBJ, [_at_the_start(7, 1)]))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert worker.generation == 1
    assert worker.load(OBJ, ("text",), (), []).merged == ()


def test_a_worker_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    with pytest.raises(WorkerUnavailable):
        Worker([str(tmp_path / "nothing here")]).start()


def test_a_worker_that_is_closed_while_it_starts_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    made, worker = list[subprocess.Popen[bytes]](), Worker()
    begun, closes = threading.Event(), threading.Event()
    closing = threading.Thread(target=worker.close)

    def slowly(self: Worker) -> "subprocess.Popen[bytes]":
        begun.set()
        closes.wait()
        closing.join(0.2)  # without the lock it is over by then
        made.append(begin(self))
        return made[0]

    begin = Worker._begin
    monkeypatch.setattr(Worker, "_begin", slowly)
    starting = threading.Thread(target=worker.start)
    starting.start()
    begun.wait()
    closing.start()
    closes.set()
    starting.join()
    closing.join()
    assert made[0].poll() is not None


def test_a_closed_worker_starts_no_more(worker: Worker) -> None:
    worker.load(OBJ, ("text",), (), [])
    worker.close()
    with pytest.raises(WorkerUnavailable):
        worker.try_(OBJ, [], thorough=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own limits")
def test_it_inherits_nothing_and_may_open_nothing(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANSLI_RAW_KEY", "00" * 32)
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        worker.load(OBJ, ("text",), (), [])
    assert worker._process is not None
    proc = Path("/proc") / str(worker._process.pid)
    limits = (proc / "limits").read_text()
    for what, bound in (("Max core file size", "0"), ("Max file size", "0"), ("Max processes", "0"),
                        ("Max open files", "0")):  # fmt: skip
        line = next(line for line in limits.splitlines() if line.startswith(what))
        assert line.removeprefix(what).split()[:2] == [bound, bound]
    assert "NoNewPrivs:\t1" in (proc / "status").read_text()
    open_files = {str(fd.readlink()) for fd in (proc / "fd").iterdir()}
    assert not [name for name in open_files if "secret" in name or "socket" in name]
    if os.geteuid() == 0:  # the worker is not dumpable: nobody else may look
        assert b"KANSLI" not in (proc / "environ").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="a signal of Linux")
async def test_attack_no_worker_outlives_a_program_that_is_killed_at_work() -> None:
    """A process that made a state went on for ten minutes, with what colleagues wrote in its memory."""
    worker = _worker_of_a_killed_program()
    await until(lambda: _is_gone(worker))


def _worker_of_a_killed_program() -> int:
    """The process number of a worker that stood still while its program was killed: it cannot see that no question
    follows."""
    work = (
        "from app.worker.client import Worker as W; w = W(); w.load(b'x', (), (), []); print(w._process.pid); input()"
    )
    program = subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        os.kill(worker, signal.SIGSTOP)
        program.kill()
    return worker


def _is_gone(pid: int) -> bool:
    """Whether a process has ended, read by its parent or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_attack_an_answer_that_is_nested_too_deep_is_none() -> None:
    """▲ It ended the program's task, and not the worker."""
    data = b"\x96\x01\x90\xc2\x00\x90" + b"\x91" * 200_000 + b"\xc0"
    frame = len(data).to_bytes(4, "big") + data
    with pytest.raises(ValueError, match="deep"):
        frames.read_answer(io.BytesIO(frame))
    with pytest.raises(ValueError, match="deep"):
        frames.whole_answer(frame)
