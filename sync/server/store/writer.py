# SPDX-License-Identifier: EUPL-1.2
"""One thread that writes, with group commit: the jobs that queued up during one commit are committed together by the
next. An idle writer commits at once, so that a lone job does not wait for others.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from sync.errors import BugError
from sync.server.load.spending import Payer, payer
from sync.server.store.base import Full, Unwritable

T = TypeVar("T")

_MAX_GROUP = 256
"""Most jobs in one transaction: bounds how long the first of them waits for the last."""


_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
"""SQLite's error codes for a disk, or a quota, that cannot take more."""


@dataclass(slots=True)
class _Job:
    run: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"
    payer: Payer | None
    ahead: Callable[[], None] | None
    result: Any = None
    error: Exception | None = None


class Writer:
    """The thread that writes to the database. Runs jobs in the order of `submit`, each whole or not at all; a job's
    future ends when the job is on disk."""

    def __init__(self, engine: Engine, committed: Callable[[float], None]) -> None:
        """Starts the thread, which writes through `engine`, SQLAlchemy's for the database. Call it on the event loop.
        `committed` is called in that thread after each commit, also one that failed, with the seconds that it and its
        jobs took. It must not raise: that would end the thread."""
        self._engine = engine
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._closed = False
        self._thread.start()

    def submit(self, run: Callable[[Connection], T], ahead: Callable[[], None] | None = None) -> "asyncio.Future[T]":
        """Queues `run`, which the writer's thread calls with its connection, in the order of the calls. `run` must not
        commit: the writer does, and several may share one commit. The future has its result after the commit. If `run`
        raises, its writes are undone and the future has its error; BugError if it breaks a constraint of the schema. If
        the database fails, Unwritable or Full. Unwritable too after `close`.

        `ahead` is called on the event loop, in the caller's context, while the disk flushes the commit, if the job is
        the only one in it. It does there what is needed after the commit and may be thrown away if that fails. It must
        not raise."""
        done: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            done.set_exception(Unwritable("closed"))
        else:
            self._jobs.put(_Job(run, done, payer(), ahead and partial(copy_context().run, ahead)))
        return done

    @property
    def queued(self) -> int:
        """The number of jobs that are not in a commit yet."""
        return self._jobs.qsize()

    async def close(self) -> None:
        """Ends the thread that writes to the database, after it has run all queued jobs; waits for that. Jobs that are
        submitted later get Unwritable."""
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        with self._engine.connect() as connection:
            while True:
                group, last = self._next_group()
                if group:
                    began = time.perf_counter()
                    self._commit(connection, group)
                    self._committed(time.perf_counter() - began)
                    self._loop.call_soon_threadsafe(_answer, group)
                if last:
                    return

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == _MAX_GROUP:
                return group, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, connection: Connection, group: list[_Job]) -> None:
        try:
            with connection.begin():
                if len(group) == 1:  # the common case when idle: a refusal may undo the whole transaction
                    _run(connection, group[0])
                    if group[0].ahead is not None:  # while the flush waits for the disk, the loop is free
                        self._loop.call_soon_threadsafe(group[0].ahead)
                else:
                    for job in group:
                        _run_alone(connection, job)
        except DBAPIError as e:
            # A full or failing disk: SQLite has undone the whole transaction, so nothing in it counts. Nor do the
            # refusals of jobs in it: what they found taken may have been written by a job that is undone now.
            error = unwritable(e)
            for job in group:
                job.error = error
        except Exception as e:
            # A refusal or our own fault: it must not end the thread, and with it everybody's writes.
            for job in group:
                job.error = e


def unwritable(e: DBAPIError) -> Unwritable:
    """The StoreError that the database error `e` becomes: Full for a full or failing disk, otherwise Unwritable."""
    code = getattr(e.orig, "sqlite_errorcode", 0) & 0xFF
    return Full("the disk is full or failing") if code in _DISK else Unwritable("the database is busy")


def _run_alone(connection: Connection, job: _Job) -> None:
    """Runs a job within a larger transaction, behind a savepoint: if the job is refused or fails, only its own writes
    are undone, and the job keeps the error. A database error is raised, which undoes the whole transaction; but not a
    broken constraint, which is the fault of this job alone (BugError)."""
    connection.exec_driver_sql("SAVEPOINT job")  # by itself SQLAlchemy takes 50 µs for one, with what it notes of it
    try:
        _run(connection, job)
    except DBAPIError:
        raise
    except Exception as e:
        connection.exec_driver_sql("ROLLBACK TO job")
        job.error = e
    connection.exec_driver_sql("RELEASE job")


def _run(connection: Connection, job: _Job) -> None:
    """Runs a job and charges its processor time, also if it fails, to the job's payer: the device or network address
    whose request it serves. Nobody is charged if the server itself began the job. Raises what the job raises, and
    BugError if it breaks a constraint of the schema. The commit is charged to nobody."""
    began = time.thread_time()
    try:
        job.result = job.run(connection)
    except IntegrityError as e:
        raise BugError(f"a write breaks a constraint: {e.orig}") from e
    finally:
        if job.payer is not None:
            job.payer.charge_from_thread(time.thread_time() - began)


def _answer(group: list[_Job]) -> None:
    for job in group:
        if job.done.done():
            continue
        if job.error is None:
            job.done.set_result(job.result)
        else:
            job.done.set_exception(job.error)
