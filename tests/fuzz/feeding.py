# SPDX-License-Identifier: EUPL-1.2
"""Gives histories to the CRDT in a process of its own, which may die of them: that is what is looked for.

The child does what the program does: the same roots, observers and event paths, a full read, the state, the whole as an
update and a difference. `python -m tests.fuzz.feeding` is the child: sizes and inputs come in, one byte goes out each.
"""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 20
"""A child that takes longer is ended. The program gives an update less, and goes on in the worker."""
DONE, REFUSED = b"d", b"r"


class ChildDied(AssertionError):
    """The child ended, or did not answer. `signal` is the one that ended it, 0 if none did."""

    def __init__(self, signal: int, said: str = "") -> None:
        super().__init__(f"the child ended by signal {signal} {said[-500:]}")
        self.signal = signal


class Feeder:
    """A child that takes one input after the other; a new one is started when it has died."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def feed(self, data: bytes) -> bool:
        """Whether the child could read all of it; ChildDied if it did not live to say so."""
        child = self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(len(data).to_bytes(4, "big") + data)
            child.stdin.flush()
        ready, _, _ = select.select([child.stdout], [], [], SECONDS)
        answer = os.read(child.stdout.fileno(), 1) if ready else b""
        if answer not in (DONE, REFUSED):
            raise ChildDied(self.close())
        return answer == DONE

    def close(self) -> int:
        """Ends the child; the signal that it had died of."""
        child, self._child = self._child, None
        if child is None:
            return 0
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            code = child.wait(timeout=1)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            code = 0
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.stdout.close()
        return -code if code < 0 else 0

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            command = [sys.executable, "-m", "tests.fuzz.feeding"]
            quiet = os.environ | {"RUST_BACKTRACE": "0"}
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env=quiet
            )
        return self._child


Roots = tuple[tuple[str, ...], tuple[str, ...]]
"""Names of texts and of maps."""
DOCUMENT: Roots = ("text",), ("meta",)
BOARD: Roots = (), ("board", "columns", "cards", "labels")


def merge(updates: Sequence[bytes], roots: Sequence[Roots] = (DOCUMENT, BOARD), every: int = 1) -> bool:
    """All that the program does with the updates of a document, a board or (with both roots) either. All is read, and
    the difference is taken, after so many updates each; at the end all is read once more. Whether each could be
    merged."""
    import pycrdt

    whole = True
    for texts, maps in roots:
        doc: Any = pycrdt.Doc()
        _watch(doc, texts, maps)
        before: object = None
        for at, update in enumerate(updates, start=1):
            if (at - 1) % every == 0:
                before = _tried(doc.get_state)
            whole &= _tried(doc.apply_update, update) is not _FAILED
            if at % every == 0 and isinstance(before, bytes):
                _read(doc, texts, maps)
                _tried(doc.get_update, before)
        if len(updates) % every:
            _read(doc, texts, maps)
        _tried(doc.get_update)
    return whole


_FAILED = object()


def _tried(step: Callable[..., object], *given: object) -> object:
    """What a step gives. An error of the library is no death; the program catches it."""
    try:
        return step(*given)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return _FAILED


def _watch(doc: Any, texts: Sequence[str], maps: Sequence[str]) -> None:
    import pycrdt

    for name in texts:
        text: Any = pycrdt.Text()
        doc[name] = text
        text.observe(lambda event: [event.delta, event.path])
    for name in maps:
        items: Any = pycrdt.Map()
        doc[name] = items
        items.observe_deep(lambda events: [(e.path, getattr(e, "keys", 0), getattr(e, "delta", 0)) for e in events])
    doc.observe(lambda event: event.update)


def _read(doc: Any, texts: Sequence[str], maps: Sequence[str]) -> None:
    for name in texts:
        _tried(lambda text: [str(text), text.diff()], doc[name])
    for name in maps:
        _tried(_plain, doc[name])


def _plain(value: object) -> object:
    import pycrdt

    if isinstance(value, pycrdt.Map):
        return {key: _tried(lambda key: _plain(value[key]), key) for key in sorted(value.keys())}
    if isinstance(value, pycrdt.Array):
        return [_tried(lambda index: _plain(value[index]), index) for index in range(min(len(value), 1000))]
    return str(value) if isinstance(value, pycrdt.Text) else value


def main() -> None:
    """The child: until its input ends."""
    from tests.fuzz.structures import unpack

    come, go = sys.stdin.buffer, sys.stdout.buffer
    while len(head := come.read(4)) == 4:
        data = come.read(int.from_bytes(head, "big"))
        go.write(DONE if merge([p.update for p in unpack(data)]) else REFUSED)
        go.flush()


if __name__ == "__main__":
    main()
