# SPDX-License-Identifier: EUPL-1.2
"""What the program and its worker say to each other: msgpack arrays, each after its length in four bytes.

Only the program asks; each question has one answer. Neither side trusts the other's lengths beyond MAX_FRAME.
"""

import struct
from collections.abc import Callable
from typing import IO

import msgspec

MAX_FRAME = 32 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class Load(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Begins an object with these root texts and maps, or continues one that was begun (`first` False), and merges
    updates that were merged before. `last`: nothing more of it follows, and everything is read once."""

    obj: bytes
    texts: tuple[str, ...]
    maps: tuple[str, ...]
    updates: tuple[bytes, ...]
    first: bool
    last: bool


class Try(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Merges updates one by one into a loaded object. `thorough`: reads everything after each of them."""

    obj: bytes
    updates: tuple[bytes, ...]
    thorough: bool


class Read(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Reads a loaded object as opening, indexing and closing do."""

    obj: bytes


class Forget(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Drops an object from memory."""

    obj: bytes


Question = Load | Try | Read | Forget


class Tried(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """`merged`: of each update, whether it was one. Fewer than were asked for: the next one could not be merged, and
    the object must be loaded again. `is_read`: the object was read since its last update.

    Microseconds of processor time: `took_us` for merging all updates, and for the reading that `Load.last` asks for;
    `each_us` for merging each update of a Try, also the one that could not be merged; empty for other questions.
    """

    merged: tuple[bool, ...]
    is_read: bool
    took_us: int
    each_us: tuple[int, ...] = ()


def write(stream: IO[bytes], frame: Question | Tried) -> None:
    """Sends one frame."""
    data = _encoder.encode(frame)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_question(stream: IO[bytes]) -> Question | None:
    """The next question; None at the stream's end. ValueError for what is none."""
    data = _read(stream.read)
    return None if data is None else _questions.decode(data)


def read_answer(stream: IO[bytes]) -> Tried | None:
    """The next answer; None at the stream's end. ValueError for what is none."""
    data = _read(stream.read)
    return None if data is None else _answers.decode(data)


def _read(take: Callable[[int], bytes]) -> bytes | None:
    head = take(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME:
        raise ValueError("frame too long")
    data = take(length)
    return data if len(data) == length else None


_encoder = msgspec.msgpack.Encoder()
_questions: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
_answers: msgspec.msgpack.Decoder[Tried] = msgspec.msgpack.Decoder(Tried)
