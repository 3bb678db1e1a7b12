# SPDX-License-Identifier: EUPL-1.2
"""Starts the worker's process, asks it, and ends it when it takes too long.

Every method but `try_soon` blocks: call them from one thread that is not the loop's. One question at a time.
"""

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from app.core import log
from app.errors import WorkerDied, WorkerUnavailable
from app.objects.lib0 import MAX_BYTES
from app.worker import soon
from app.worker.frames import (
    MAX_FRAME,
    PART_BYTES,
    Answer,
    Forget,
    Load,
    Question,
    Read,
    Tried,
    Try,
    read_answer,
    write,
)

A = TypeVar("A", bound=Answer)

ANSWER_S = 10.0
"""An honest update takes well under a millisecond; one of 192 KiB some ten. Slow machines get a hundred times that."""
LOAD_S = 60.0
OPTION = "--worker"
_ROOT = Path(__file__).parents[2]


class Worker:
    """The worker process, in which colleagues' changes are tried. It is started at the first question or by `start`.
    `generation` rises whenever a process ends: the objects that it had loaded are lost."""

    def __init__(self, command: Sequence[str] | None = None, *, answer_s: float = ANSWER_S) -> None:
        """Starts nothing yet. `command`: what starts the process (None: this program's own), and `answer_s`: the
        longest time for an answer, in seconds; both are given only by tests."""
        self.generation = 0
        self._command = list(command or command_of())
        self._answer_s = answer_s
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = _Watch()
        self._starting = threading.Lock()
        """▲ Held while a process starts. Otherwise a process that is started while the worker is closed would stay."""
        self._closed = False

    def start(self) -> None:
        """Starts the worker process (which tries colleagues' changes or makes states) unless it runs. WorkerUnavailable
        if it cannot be started, also after `close`."""
        with self._starting:
            if self._closed:
                raise WorkerUnavailable
            if self._process is not None and self._process.poll() is None:
                return
            self.stop()
            self._process = self._begin()
        log.store.info("worker", generation=self.generation)

    def _begin(self) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(  # noqa: S603 - ourselves
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                close_fds=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as e:
            log.store.error("worker-unavailable")
            raise WorkerUnavailable from e

    def stop(self) -> None:
        """Ends the worker process, and with it the objects that it had loaded. A second call does nothing; the next
        question starts a new one."""
        process, self._process = self._process, None
        if process is None:
            return
        self.generation += 1
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # it writes what is left in its buffer, which a dead process does not read
                    pipe.close()

    def close(self) -> None:
        """Ends the worker process for good. May be called from any thread: a question that waits for its answer then
        raises WorkerDied."""
        with self._starting:
            self._closed = True
            self._watch.close()
            self.stop()

    def load(
        self,
        obj: bytes,
        texts: tuple[str, ...],
        maps: tuple[str, ...],
        updates: Sequence[bytes],
        *,
        keep_deleted: bool = False,
    ) -> Tried:
        """Loads the object `obj` into the process, so that `try_` can merge further changes into it: merges `updates`
        into a new CRDT with roots of the names `texts` and `maps`, in place of one that was loaded for `obj`, and reads
        it whole. `keep_deleted`: the CRDT keeps deleted content in memory. Returns for each update whether it was
        merged (the others are left out), and how long it took. WorkerDied if the process ended at it or took longer
        than LOAD_S; WorkerUnavailable."""
        parts = list(_parts(updates))
        answers = [
            self.ask(
                Load(obj, texts, maps, tuple(part), at == 0, at == len(parts) - 1, keep_deleted=keep_deleted),
                Tried,
                LOAD_S,
            )
            for at, part in enumerate(parts)
        ]
        return _joined(answers)

    def try_(self, obj: bytes, updates: Sequence[bytes], *, thorough: bool) -> Tried:
        """Merges `updates` into the loaded object `obj` and returns for each whether it was merged; False for one that
        is left out. Ends early, with a shorter list, if the object can then not be merged or read further. By this the
        program finds out, before it merges them itself, whether they would end it. `thorough`: reads the whole object
        after each. WorkerDied if the process ended meanwhile (also because `obj` is not loaded), or was ended because
        it took too long; WorkerUnavailable if it cannot be started."""
        answers = list[Tried]()
        for part in _parts(updates):
            answers.append(self.ask(Try(obj, tuple(part), thorough), Tried, self._answer_s))
            if len(answers[-1].merged) < len(part):
                break
        return _joined(answers)

    async def try_soon(self, obj: bytes, updates: Sequence[bytes]) -> Tried | None:
        """Merges `updates` into the loaded object `obj` as `try_` does, and reads nothing afterwards; awaited on the
        event loop. Returns for each update whether it was merged. Returns None if the caller must use `try_` in a
        thread: the process does not run, the updates have more than `soon.QUICK_BYTES`, or this is Windows. WorkerDied
        if the process ended meanwhile (also because `obj` is not loaded) or took too long. If it is cancelled, it ends
        the process. Otherwise its answer would be taken for that to the next question."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        if process.poll() is not None or not soon.may_ask(sum(map(len, updates))):
            return None
        try:
            with self._watch.ending(process, self._answer_s):
                answer = await soon.ask(process.stdin, process.stdout, Try(obj, tuple(updates), thorough=False))
        except (OSError, ValueError):
            answer = None
        except BaseException:
            self.stop()
            raise
        return self._checked(process, answer, Tried)

    def read(self, obj: bytes) -> None:
        """Reads the loaded object `obj` whole. WorkerDied."""
        self.ask(Read(obj), Tried, LOAD_S)

    def forget(self, obj: bytes) -> None:
        """Drops the loaded object `obj`. WorkerDied."""
        self.ask(Forget(obj), Tried, self._answer_s)

    def ask(self, question: Question, kind: type[A], limit_s: float, most_bytes: int = MAX_FRAME) -> A:
        """Sends a question to the worker process, started if it does not run, and returns the answer, which must be of
        the class `kind`. WorkerDied if the process ends, if it does not answer within `limit_s` seconds, or if the
        answer is of another class or longer than `most_bytes`; the process is ended then. WorkerUnavailable if it
        cannot be started, also after `close`."""
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise WorkerUnavailable
        try:
            with self._watch.ending(process, limit_s):
                write(process.stdin, question)
                answer = read_answer(process.stdout, most_bytes)
        except (OSError, ValueError):
            answer = None
        return self._checked(process, answer, kind)

    def _checked(self, process: "subprocess.Popen[bytes]", answer: Answer | None, kind: type[A]) -> A:
        """Returns the answer if it is of the class `kind`. Otherwise ends the process and raises WorkerDied. An answer
        of None means that none was received."""
        if not isinstance(answer, kind):
            code = process.poll()
            self.stop()
            log.store.warning("worker-died", code=-1 if code is None else code)
            raise WorkerDied
        return answer


def _parts(updates: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yields the updates in lists of about PART_BYTES; one empty list if there are none. ▲ Bytes that are too long to
    be an update are replaced by empty ones. Otherwise their frame would be too long and end the worker."""
    part: list[bytes] = []
    size = 0
    for given in updates:
        update = given if len(given) <= MAX_BYTES else b""
        if part and size + len(update) > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(update)
        size += len(update)
    yield part


def _joined(answers: Sequence[Tried]) -> Tried:
    """Joins the answers of the process about the parts into which one list of updates was divided, as if it had been
    one question."""
    merged = tuple(one for answer in answers for one in answer.merged)
    each_us = tuple(us for answer in answers for us in answer.each_us)
    return Tried(merged, answers[-1].is_read, sum(answer.took_us for answer in answers), each_us)


class _Watch:
    """A thread that kills the worker process, which tries colleagues' changes, if its answer is late: pipes cannot be
    waited for with a time limit on Windows."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self._wakes = math.inf
        """When the thread wakes next. It is not notified of a later deadline: a notification takes more time than
        passing the question through the pipe."""
        self._closed = False
        self._thread: threading.Thread | None = None

    def ending(self, process: "subprocess.Popen[bytes]", limit_s: float) -> "_Watch":
        """A context in which the worker process must answer: it is killed if the context lasts longer than `limit_s`
        seconds."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="worker-watch", daemon=True)
                self._thread.start()
            self._process, self._until = process, time.monotonic() + limit_s
            if self._until < self._wakes:
                self._changed.notify()
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._process = None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                left = None if self._process is None else self._until - time.monotonic()
                if left is not None and left <= 0:
                    self._process.kill()  # type: ignore[union-attr]  # it is none only with left None
                    self._process = None
                    continue
                self._wakes = math.inf if left is None else self._until
                self._changed.wait(left)


def command_of(*options: str) -> list[str]:
    """The command that starts the worker process: program and arguments, with `options` at the end."""
    frozen = getattr(sys, "frozen", False)
    return [sys.executable, *((OPTION,) if frozen else ("-m", "app.worker")), *options]


def _environment() -> dict[str, str]:
    """The environment variables for the process. Of the program's own only SYSTEMROOT, LANG and PYTHONPYCACHEPREFIX, so
    no keys or proxies; and PYTHONPATH where the program runs from source."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LANG", "PYTHONPYCACHEPREFIX") if name in os.environ}
    return kept if getattr(sys, "frozen", False) else {**kept, "PYTHONPATH": str(_ROOT)}
