# SPDX-License-Identifier: EUPL-1.2
"""Runs in the worker: it merges updates and reads objects as the program does, and may die of it.

It opens no file and no connection, knows no keys, and returns only figures. A process that was started to make states
(`making`) tries nothing, and returns the states.
"""

import codecs
import contextlib
import time
from collections.abc import Callable, Sequence

from app.errors import BadChange, BugError
from app.objects.crdt import CrdtDoc
from app.worker.frames import STATES, Answer, Forget, Load, Question, Read, Tried, Try
from app.worker.running import run


def clock_us() -> int:
    """Processor time of this thread in microseconds. Wall time would count other programs, and a computer's sleep."""
    return time.thread_time_ns() // 1000


class _Held:
    """An object that the worker has loaded: its CRDT, and whether it was read since the last update."""

    def __init__(self, asked: Load) -> None:
        self.doc = CrdtDoc(texts=asked.texts, maps=asked.maps, keep_deleted=asked.keep_deleted)
        self._texts, self._maps = asked.texts, asked.maps
        self.is_read = False

    def merge(self, update: bytes) -> bool:
        """Merges one update into the object and calls its observers. False if the bytes are no update, or one that the
        CRDT refuses: it is left out, and the object is rebuilt without it. BadChange or BugError if the object cannot
        be rebuilt."""
        self.is_read = False
        return not self.doc.apply([update])

    def read(self) -> None:
        """Reads everything of the object that the program reads when it opens, indexes, caches and closes it."""
        for name in self._texts:
            self.doc.text(name).runs()
        for name in self._maps:
            self.doc.map(name).to_python()
        self.doc.diff(self.doc.state())
        self.doc.diff()
        self.is_read = True


class Serving:
    """Merges updates into the objects that it has loaded, and answers the program's questions about them."""

    def __init__(self) -> None:
        self._held: dict[bytes, _Held] = {}

    def answer(self, question: Question) -> Tried:
        """Carries out a question of the program: loads an object, merges updates into it, reads it or drops it, and
        returns how that went. KeyError if it is about an object that is not loaded, but forgetting such an object does
        nothing. ValueError for a question that this process does not answer. BadChange or BugError if an object cannot
        be loaded or read; in a Try these only end the list of merged updates."""
        match question:
            case Load():
                return self._load(question)
            case Try():
                return self._try(question)
            case Read(obj=obj):
                self._held[obj].read()
                return Tried((), True, 0)
            case Forget(obj=obj):
                self._forget(obj)
                return Tried((), False, 0)
            case _:
                raise ValueError("this process tries changes")

    def _load(self, asked: Load) -> Tried:
        if asked.first:
            self._forget(asked.obj)
            self._held[asked.obj] = _Held(asked)
        held, began_us = self._held[asked.obj], clock_us()
        bad = set(held.doc.apply(asked.updates))
        if asked.last:
            held.read()
        merged = tuple(at not in bad for at in range(len(asked.updates)))
        return Tried(merged, held.is_read, clock_us() - began_us)

    def _forget(self, obj: bytes) -> None:
        held = self._held.pop(obj, None)
        if held is not None:
            held.doc.close()

    def _try(self, asked: Try) -> Tried:
        held, merged, each_us = self._held[asked.obj], list[bool](), list[int]()
        with contextlib.suppress(BadChange, BugError, RecursionError):
            for update in asked.updates:
                began_us = clock_us()
                try:
                    is_merged = held.merge(update)
                finally:
                    each_us.append(clock_us() - began_us)
                if asked.thorough:
                    held.read()
                merged.append(is_merged)
        return Tried(tuple(merged), held.is_read, sum(each_us), tuple(each_us))


def main(options: Sequence[str] = ()) -> int:
    """Runs the worker process: answers on standard input and output until the program closes them. Returns the exit
    code, 0. With STATES ("--states") among the options it makes states instead of trying changes. An error ends the
    process."""
    return run(lambda: _answering(states=STATES in options))


def _answering(*, states: bool) -> Callable[[Question], Answer]:
    CrdtDoc().close()  # loads its modules: after `confine` no file can be opened
    codecs.lookup("utf-16-le")  # for text that is counted in UTF-16 units
    if not states:
        return Serving().answer
    from app.worker.making import Making  # imported here alone: a process that tries changes needs none of it

    return Making().answer
