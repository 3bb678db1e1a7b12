# SPDX-License-Identifier: EUPL-1.2
"""The program's side of conversions: each file gets a process of its own, which ends with it.

▲ The process reads what a stranger wrote and may have been taken over. So its answer is bounded, and checked as if a
stranger had written it; it is never given to native code.
"""

import asyncio
import sys
from collections.abc import Sequence

from app.documents.conversion import wire
from app.documents.errors import REFUSALS, ConversionDied, ConversionUnavailable
from app.errors import WorkerDied, WorkerUnavailable
from app.richtext.flow import Block
from app.richtext.formats import Taken
from app.worker.client import Worker
from app.worker.frames import PART_BYTES, Convert, Converted, GetBytes, Part, PutBytes, Tried

OPTION = "--convert"
CONVERT_S = 120.0
"""A docx of 940 pages takes 4 s to write and 4 s to read, the longest text that is read in the most runs 47 s."""
HAND_S = 30.0
_MAX_WHERE = 100
_SHORT_BYTES = 1024
"""▲ The longest answer that is no part of a result. An answer of 32 MiB of small numbers would take 300 MB, and hold
Python while it is read."""
_PART_BYTES = PART_BYTES + 64


class Converter:
    """Converts files to documents and back, each in a separate process, one at a time; further calls wait. Lives on the
    event loop."""

    def __init__(self, command: Sequence[str] | None = None, *, limit_s: float = CONVERT_S) -> None:
        """`command`: what starts the process (None: this program's own), and `limit_s`: the longest time of a
        conversion in seconds; both are given only by tests."""
        self._command = list(command or _command())
        self._limit_s = limit_s
        self._one = asyncio.Lock()
        self._worker: Worker | None = None
        self._closed = False

    async def read(self, kind: str, data: bytes) -> Taken:
        """Reads a file's bytes `data` into blocks, and counts what a document cannot hold. `kind`: one of `wire.KINDS`.
        Raises ConversionFault."""
        answer = await self._converted(kind, data)
        try:
            return await asyncio.to_thread(wire.decode_taken, answer)
        except ValueError as e:
            raise ConversionDied from e

    async def write_docx(self, title: str, blocks: Sequence[Block]) -> bytes:
        """Makes a docx file from a document's title and text, in a separate process, and returns its bytes. Raises
        ConversionFault."""
        given = await asyncio.to_thread(wire.encode_document, title, blocks)
        return await self._converted(wire.DOCX_OUT, given)

    def close(self) -> None:
        """Kills a running conversion, whose caller gets ConversionDied or ConversionUnavailable. Later calls raise
        ConversionUnavailable."""
        self._closed = True
        if self._worker is not None:
            self._worker.close()

    async def _converted(self, kind: str, data: bytes) -> bytes:
        """Converts the data in a new process, once earlier conversions are done, and returns the result's bytes.
        `kind`: the file's extension, or `wire.DOCX_OUT`. Raises ConversionFault. If the task is cancelled, the process
        is killed."""
        async with self._one:
            if self._closed:
                raise ConversionUnavailable
            self._worker = worker = Worker(self._command)
            try:
                return await asyncio.to_thread(_convert, worker, kind, data, self._limit_s)
            except asyncio.CancelledError:
                worker.close()
                raise
            finally:
                self._worker = None


def _convert(worker: Worker, kind: str, data: bytes, limit_s: float) -> bytes:
    try:
        for at in range(0, len(data), PART_BYTES):
            worker.ask(PutBytes(data[at : at + PART_BYTES]), Tried, HAND_S, _SHORT_BYTES)
        answer = worker.ask(Convert(kind), Converted, limit_s, _SHORT_BYTES)
        if answer.code:
            refusal = REFUSALS.get(answer.code)
            raise refusal(_where(answer.where)) if refusal is not None else ConversionDied
        return _fetched(worker, answer.size)
    except WorkerDied as e:
        raise ConversionDied from e
    except WorkerUnavailable as e:
        raise ConversionUnavailable from e
    finally:
        worker.close()


def _fetched(worker: Worker, size: int) -> bytes:
    if not 0 < size <= wire.MAX_BYTES:
        raise ConversionDied
    found = bytearray()
    while len(found) < size:
        part = worker.ask(GetBytes(len(found)), Part, HAND_S, _PART_BYTES).data
        if not part or len(part) > PART_BYTES:
            raise ConversionDied
        found += part
    if len(found) != size:
        raise ConversionDied
    return bytes(found)


def _where(where: str) -> str:
    """The name of a part of a file, as it may be shown; "" if the process gave something else."""
    return where if len(where) <= _MAX_WHERE and where.isascii() and where.isprintable() else ""


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, OPTION]
    return [sys.executable, "-m", "app.documents.conversion"]
