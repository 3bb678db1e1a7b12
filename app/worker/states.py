# SPDX-License-Identifier: EUPL-1.2
"""Makes the states of long objects in processes of their own.

Merging a long document takes seconds, and pycrdt keeps Python's lock for all of them: in a thread it would stop the
loop. Each state of a long object is made in a process that is confined like the one that tries changes, and that ends
when the state is made. The state of a short object is made in the caller's thread.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from app.errors import BadChange, WorkerDied, WorkerUnavailable
from app.objects.compaction import UNNAMED, State, state_at
from app.objects.kind import Kind
from app.objects.lib0 import MAX_BYTES
from app.objects.replay import Unpack
from app.worker.client import Worker, command_of
from app.worker.frames import PART_BYTES, STATES, Change, GetBytes, Give, Made, Make, Part, Tried
from sync.client.placed_changes import PlacedChange

SMALL_BYTES, SMALL_CHANGES = 16 * 1024, 50
"""An object with no more bytes and no more changes than this is short: starting a process takes 0.5 s."""
MEDIUM_BYTES, MEDIUM_CHANGES = 1024 * 1024, 5000
"""Of objects up to this size, two are made at the same time; of longer ones one, since it takes much memory."""
MAKE_S = 600.0
"""Longest wait for a state. A document of 100,000 changes takes about a minute on a slow machine."""
GIVE_S = 60.0
_GIVEN = 500
"""Changes in one frame: about 1 ms of Python's lock."""
_DIGEST_BYTES = 32


class States:
    """Makes the merged states of objects, those of longer ones in separate processes: two of medium length or one long
    one at a time; other callers wait. Call it from any thread but the loop's, `close` from any thread."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """`command`: what starts a process that makes a state; given only by tests. None: this program's own."""
        self._command = list(command or command_of(STATES))
        self._medium, self._long = threading.Semaphore(2), threading.Lock()
        self._changing = threading.Lock()
        """Held while a process is started or ended. ▲ Otherwise a process that is started during `close` would stay."""
        self._running: set[Worker] = set()
        self._closed = False

    def kinds(self, kinds: Iterable[Kind]) -> dict[str, Kind]:
        """These kinds by id, changed so that the states of their objects are made by this object."""
        made = {kind.id: kind for kind in kinds}
        return {
            name: replace(kind, compact=partial(kind.compact, making=self.state_at)) if kind.compact else kind
            for name, kind in made.items()
        }

    def state_at(
        self,
        changes: Sequence[PlacedChange],
        n: int,
        unpack: Unpack,
        *,
        texts: Sequence[str] = (),
        maps: Sequence[str] = (),
        text_keys: Sequence[tuple[str, str]] = (),
        named: AbstractContextManager[None] = UNNAMED,
    ) -> State | None:
        """Merges an object's `changes` into one state: a short object in this process, any other in another one. `n`:
        the position up to which the changes reach; none is left out for being later. None if they cannot be merged, or
        if the state is too large. `unpack` gets a change's data and returns the update in it, or raises BadChange; the
        change then does not count. `texts` and `maps`: the names of the CRDT's roots. `text_keys`: the (map, key) of
        each short text that the result must have too, cut at 8,192 characters. `named`: a context to be in while this
        process merges. WorkerDied if the other process ended at the object or took too long, WorkerUnavailable if it
        cannot be started and after `close`. For an object that begins with a damaged state: BadChange if it is short,
        otherwise None."""
        count, size = len(changes), sum(len(change.data) for change in changes)
        if count <= SMALL_CHANGES and size <= SMALL_BYTES:
            return state_at(changes, n, unpack, texts=texts, maps=maps, text_keys=text_keys, named=named)
        is_long = count > MEDIUM_CHANGES or size > MEDIUM_BYTES
        with self._long if is_long else self._medium, _Process(self) as worker:
            for given in _given(changes, unpack):
                worker.ask(Give(given), Tried, GIVE_S)
            made = worker.ask(Make(n, tuple(texts), tuple(maps), tuple(text_keys)), Made, MAKE_S)
            return _state(worker, made, text_keys)

    def close(self) -> None:
        """Ends all running processes that make states, and starts no more. A second call does nothing."""
        with self._changing:
            self._closed = True
            for worker in self._running:
                worker.close()

    def begin(self) -> Worker:
        """Returns a process that is to make one object's state, not started yet; the caller ends it by `end`.
        WorkerUnavailable after `close`."""
        with self._changing:
            if self._closed:
                raise WorkerUnavailable
            worker = Worker(self._command)
            self._running.add(worker)
            return worker

    def end(self, worker: Worker) -> None:
        """Ends the process `worker`, which `begin` returned to make a state. A second call does nothing."""
        with self._changing:
            self._running.discard(worker)
        worker.close()


class Workers(Worker):
    """The process in which changes are tried, together with `states`, which starts the processes that make states."""

    def __init__(self) -> None:
        super().__init__()
        self.states = States()

    def close(self) -> None:
        """Ends the process in which changes are tried and all that make states; none is started again."""
        self.states.close()
        super().close()


class _Process:
    """A context that starts a process to make one object's state, and ends that process when the context ends."""

    def __init__(self, states: States) -> None:
        self._states = states

    def __enter__(self) -> Worker:
        self._worker = self._states.begin()
        return self._worker

    def __exit__(self, *_: object) -> None:
        self._states.end(self._worker)


def _given(changes: Sequence[PlacedChange], unpack: Unpack) -> Iterator[tuple[Change, ...]]:
    """The changes in the form for the process, in groups of at most _GIVEN of them and about PART_BYTES. `unpack` gets
    a change's data and returns the update in it; where it raises BadChange, the change is sent with that code
    instead."""
    part: list[Change] = []
    size = 0
    for change in changes:
        if len(part) == _GIVEN or (part and size + len(change.data) > PART_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(_change(change, unpack))
        size += len(change.data)
    yield tuple(part)


def _change(change: PlacedChange, unpack: Unpack) -> Change:
    head = (change.position, bytes(change.change_id), bytes(change.uid), change.t, change.covers)
    if change.covers:
        return Change(*head)
    try:
        found = unpack(change.data)
    except BadChange as bad:
        return Change(*head, bad=bad.code)
    return Change(*head, found.update, found.begun, found.group, found.index, found.count)


def _state(worker: Worker, made: Made, text_keys: Sequence[tuple[str, str]]) -> State | None:
    """Fetches the state that the process has made, as `made` describes it; None if the changes have none. `text_keys`:
    the (map, key) of each text that was asked for. WorkerDied if the answer breaks the bounds. ▲ The process has read
    what colleagues wrote, and may have been taken over. So its answer is bounded, and is never given to this program's
    own CRDT library; other members judge it."""
    if made.size is None:
        return None
    update_bytes, begun_bytes = made.size
    if not (0 < update_bytes <= MAX_BYTES and 0 <= begun_bytes <= MAX_BYTES) or len(made.short_texts) != len(text_keys):
        raise WorkerDied
    data = bytearray()
    while len(data) < update_bytes + begun_bytes:
        part = worker.ask(GetBytes(len(data)), Part, GIVE_S).data
        if not part or len(part) > PART_BYTES:
            raise WorkerDied
        data += part
    if len(made.digest) != _DIGEST_BYTES or len(data) != update_bytes + begun_bytes:
        raise WorkerDied
    return State(
        update=bytes(data[:update_bytes]),
        begun=bytes(data[update_bytes:]),
        digest=made.digest,
        held=_held(text_keys, made.short_texts),
        waits=made.waits,
    )


def _held(text_keys: Sequence[tuple[str, str]], texts: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    held: dict[str, dict[str, str]] = {}
    for (root, key), text in zip(text_keys, texts, strict=True):
        held.setdefault(root, {})[key] = text
    return held
