# SPDX-License-Identifier: EUPL-1.2
"""Transfers of files: what is being uploaded or fetched, how far it is, and how it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from app.chat.ports import Progress
from app.core.ids import RoomId
from app.core.signal import Signal

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One file that is being uploaded or fetched. `key` is unique: for a fetch (message id, number of the file), for
    an upload (a random id, 0). `name`: the file's; `done` and `total` in bytes; `upload` False for a fetch."""

    key: tuple[bytes, int]
    room: RoomId
    name: str
    done: int
    total: int
    upload: bool

    @property
    def percent(self) -> int:
        """0 to 100."""
        return min(100, self.done * 100 // self.total) if self.total else 0


class Transfers:
    """The file transfers of all rooms that are running now. A transfer ends with its task, whether that succeeds, fails
    or is cancelled."""

    def __init__(self) -> None:
        self.changed: Signal[RoomId] = Signal()
        self._running: dict[tuple[bytes, int], Transfer] = {}
        self._failed: dict[tuple[bytes, int], str] = {}
        self._tasks: dict[tuple[bytes, int], asyncio.Task[object]] = {}
        self._stopped: set[tuple[bytes, int]] = set()
        """Transfers that were cancelled before they began, until the caller of `announce` withdraws them."""

    def of(self, room: RoomId) -> list[Transfer]:
        """The transfers in a room."""
        return [transfer for transfer in self._running.values() if transfer.room == room]

    def get(self, key: tuple[bytes, int]) -> Transfer | None:
        """One transfer, or None if it is not (or no longer) running."""
        return self._running.get(key)

    def failed(self, key: tuple[bytes, int]) -> str:
        """The code of the error with which the last fetch of a file ended. `key`: the transfer's. "bug" for an
        error without a code. "" if it succeeded, if the person stopped it, if it is running again, or if there was
        none."""
        return self._failed.get(key, "")

    def announce(self, transfers: Sequence[Transfer]) -> None:
        """Shows `transfers`, which `run` begins later, one after the other, such as the files of one message. Each can
        be cancelled already. Emits `changed` for their rooms. Call `withdraw` with all of them at the end."""
        self._running |= {transfer.key: transfer for transfer in transfers}
        for room in {transfer.room for transfer in transfers}:
            self.changed.emit(room)

    def withdraw(self, transfers: Sequence[Transfer]) -> None:
        """Stops showing those of `transfers` that `announce` has shown and that have not begun. Running ones stay."""
        self._stopped.difference_update(transfer.key for transfer in transfers)
        gone = [self._running.pop(transfer.key, None) for transfer in transfers if transfer.key not in self._tasks]
        for room in {transfer.room for transfer in gone if transfer is not None}:
            self.changed.emit(room)

    def cancel(self, key: tuple[bytes, int]) -> None:
        """Stops the transfer with this key by cancelling its task, which cleans up; one that has not begun is
        withdrawn. Does nothing if it is not running."""
        task, waiting = self._tasks.get(key), self._running.get(key)
        if task is not None:
            task.cancel()
        elif waiting is not None:
            self.withdraw([waiting])
            self._stopped.add(key)  # its task may exist already, and begin in the next turn of the loop

    async def run(self, transfer: Transfer, work: Callable[[Progress], Awaitable[T]]) -> T:
        """Runs `work`, which moves the file, in the calling task, and shows it as `transfer` meanwhile. `work` gets a
        function that it calls with the bytes done and in all, and what it returns is awaited. Returns the result of
        `work` and raises its errors; CancelledError if the transfer was cancelled before it began."""
        if transfer.key in self._stopped:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if task is not None:
            self._tasks[transfer.key] = task
        self._running[transfer.key] = transfer
        self._failed.pop(transfer.key, None)
        self.changed.emit(transfer.room)

        def progress(done: int, total: int) -> None:
            now = self._running.get(transfer.key)
            if now is not None and (replace(now, done=done, total=total).percent != now.percent or done == total):
                self._running[transfer.key] = replace(now, done=done, total=total)
                self.changed.emit(transfer.room)

        try:
            return await work(progress)
        except Exception as fault:
            if not transfer.upload:
                self._failed[transfer.key] = str(getattr(fault, "code", "bug"))
            raise
        finally:
            self._running.pop(transfer.key, None)
            self._tasks.pop(transfer.key, None)
            self.changed.emit(transfer.room)
