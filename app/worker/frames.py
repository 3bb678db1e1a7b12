# SPDX-License-Identifier: EUPL-1.2
"""The messages between the program and its worker: msgpack arrays, each after its length in four bytes.

Only the program asks; each question has one answer. Neither side trusts the other's lengths beyond MAX_FRAME.
"""

import struct
from collections.abc import Callable
from typing import IO

import msgspec

MAX_FRAME = 32 * 1024 * 1024
PART_BYTES = 4 * 1024 * 1024
"""Longer data is split into several frames of about this size. A frame with a single update may be longer, up to
MAX_BYTES."""
STATES = "--states"
"""The option with which the process makes states and tries nothing."""
_LENGTH = struct.Struct(">I")


class Load(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A question: load an object by merging updates that the program itself has merged. `texts` and `maps`: the names
    of the CRDT's roots. `first`: begin the object; otherwise continue it with further updates. `last`: no more of them
    follow, and the whole object is read once. `keep_deleted`: the CRDT keeps deleted content in memory."""

    obj: bytes
    texts: tuple[str, ...]
    maps: tuple[str, ...]
    updates: tuple[bytes, ...]
    first: bool
    last: bool
    keep_deleted: bool = False


class Try(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """A question: merge updates one by one into the loaded object `obj`. `thorough`: read the whole object after each
    of them."""

    obj: bytes
    updates: tuple[bytes, ...]
    thorough: bool


class Read(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """A question: read a loaded object whole, as opening, indexing and closing do."""

    obj: bytes


class Forget(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """A question to the worker process: drop the loaded object `obj` from memory."""

    obj: bytes


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One of an object's changes, as the program sends it to a process that makes states, with the fields of
    `sync.client.placed_changes.PlacedChange` and `app.objects.replay.Unpacked`. `bad`: the code of the fault if its
    data holds no update, otherwise ""."""

    position: int
    change_id: bytes
    uid: bytes
    t: int
    covers: int
    update: bytes = b""
    begun: bytes = b""
    group: bytes | None = None
    index: int = 0
    count: int = 0
    bad: str = ""


class Give(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """A question to a process that makes states: take these further `changes`, in the room's order, of the one object
    whose state `Make` then asks for. The answer is an empty `Tried`."""

    changes: tuple[Change, ...]


class Make(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """A question: make the state of all the changes that were sent. `n`: the position up to which they reach. `texts`
    and `maps`: the names of the CRDT's roots. `text_keys`: the (map, key) of each short text that the answer must have
    too."""

    n: int
    texts: tuple[str, ...]
    maps: tuple[str, ...]
    text_keys: tuple[tuple[str, str], ...]


class GetBytes(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """A question: return the bytes of the result (a made state, or a converted file) from offset `at` on, at most
    PART_BYTES of them, none past the end."""

    at: int


class PutBytes(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """A question to the process that converts files: take `data`, the next bytes of its one file."""

    data: bytes


class Convert(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """A question: convert the file whose bytes were sent. `kind`: the file's ("docx", "md", "txt" …), or "to-docx" for
    a document that becomes one."""

    kind: str


class Open(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """A question to the process that reads a file for the viewer: open the file whose bytes were sent, as `kind`
    (app/viewing/kinds.py)."""

    kind: str


class GetSizes(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """A question: return the sizes of the opened file's pages from number `first` on (from 0), as many as
    `Opened.sizes` may have."""

    first: int


class Render(msgspec.Struct, frozen=True, array_like=True, tag=12):
    """A question: paint a piece of the page `page` (from 0). The whole page, turned right by `turn` quarters, would
    have `width` x `height` pixels; the piece begins at (`x`, `y`) of it and has `w` x `h` pixels."""

    page: int
    width: int
    height: int
    x: int
    y: int
    w: int
    h: int
    turn: int


class GetText(msgspec.Struct, frozen=True, array_like=True, tag=13):
    """A question: return the text of the page `page` (from 0); of a text file, its part with this number."""

    page: int


class Find(msgspec.Struct, frozen=True, array_like=True, tag=14):
    """A question: where on the page `page` (from 0) are these `words`, in either case?"""

    page: int
    words: str


class Select(msgspec.Struct, frozen=True, array_like=True, tag=15):
    """A question: the text of the page `page` (from 0) between two points, in fractions of the page's width and
    height, as it is without a turn."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class GetLinks(msgspec.Struct, frozen=True, array_like=True, tag=16):
    """A question: return the web addresses to which places on the page `page` (from 0) lead."""

    page: int


Question = (
    Load | Try | Read | Forget | Give | Make | GetBytes | PutBytes | Convert
    | Open | GetSizes | Render | GetText | Find | Select | GetLinks
)  # fmt: skip

Rect = tuple[float, float, float, float]
"""A rectangle on a page: left, top, width and height in fractions of the page's width and height, as it is without a
turn."""


class Tried(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """The answer to Load, Try, Read, Forget, Give and PutBytes. `merged`, for Load and Try: for each update whether it
    was merged; False for one that is no update or that the CRDT refuses, without which the object goes on. If a Try's
    `merged` is shorter than its updates, the object could not be merged or read further, and must be loaded again.
    `is_read`: the object was read since its last update.

    Microseconds of processor time: `took_us` for merging all updates, and for the reading that `Load.last` asks for;
    `each_us` for merging each update of a Try, also the one at which it ended; empty for other questions.
    """

    merged: tuple[bool, ...]
    is_read: bool
    took_us: int
    each_us: tuple[int, ...] = ()


class Made(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """The answer to Make. `size`: (bytes of the state's update, bytes of its `begun`), which `GetBytes` then returns in
    this order; None if the changes have no state, and then all else is empty. `digest`: the hash, of 32 bytes, that
    members sign to attest the state (to confirm that they computed the same). `waits`: positions of the changes that
    still wait for others. `short_texts`: the texts that were asked for, in that order, each cut at 8,192 characters; ""
    for one that does not exist."""

    size: tuple[int, int] | None
    digest: bytes
    waits: tuple[int, ...]
    short_texts: tuple[str, ...]


class Part(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The answer to GetBytes: bytes of a made state, or of a converted file."""

    data: bytes


class Converted(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The answer to Convert. The file was converted into `size` bytes, which `GetBytes` returns; or it was not: then
    `code` is that of the fault, and `where` the part of the file where it is, or ""."""

    size: int
    code: str
    where: str


class Opened(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """The answer to Open: the file has `pages` pages. `sizes`: (width, height) of the first of them, at most
    app/viewing/limits.py's SIZES_AT_ONCE, in pixels for a picture and in points of 1/72 inch for a PDF; () for text.
    `cut`: the file has more than is shown. Or the file cannot be shown: then `code` is the fault's, and all else is
    empty."""

    pages: int
    sizes: tuple[tuple[float, float], ...]
    cut: bool
    code: str


class Sizes(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """The answer to GetSizes: (width, height) of the pages, as in Opened."""

    sizes: tuple[tuple[float, float], ...]


class Pixels(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """The answer to Render: the piece's pixels in rows from the top, four bytes each (blue, green, red, and one without
    meaning)."""

    data: bytes


class PageText(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """The answer to GetText."""

    text: str


class Hits(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """The answer to Find: for each place where the words are, the rectangles that cover it, one a line."""

    hits: tuple[tuple[Rect, ...], ...]


class Selected(msgspec.Struct, frozen=True, array_like=True, tag=10):
    """The answer to Select: the text, and the rectangles that cover it, one a line; ("", ()) if no text is near one of
    the points."""

    text: str
    rects: tuple[Rect, ...]


class PageLinks(msgspec.Struct, frozen=True, array_like=True, tag=11):
    """The answer to GetLinks: each place with the address that it leads to."""

    links: tuple[tuple[Rect, str], ...]


Answer = Tried | Made | Part | Converted | Opened | Sizes | Pixels | PageText | Hits | Selected | PageLinks


def encode(frame: Question | Answer) -> bytes:
    """The bytes of a question or answer as they are sent: the length in four bytes, then the encoded frame."""
    data = _encoder.encode(frame)
    return _LENGTH.pack(len(data)) + data


def write(stream: IO[bytes], frame: Question | Answer) -> None:
    """Writes a question or answer to the pipe `stream` and flushes it. OSError if the other end is gone."""
    stream.write(encode(frame))
    stream.flush()


def read_question(stream: IO[bytes]) -> Question | None:
    """Reads the next question; None at the stream's end, also within a question. ValueError if the bytes are no
    question, or longer than MAX_FRAME."""
    data = _read(stream.read)
    return None if data is None else _questions.decode(data)


def read_answer(stream: IO[bytes], most_bytes: int = MAX_FRAME) -> Answer | None:
    """Reads the next answer; None at the stream's end, also within an answer. ValueError if the bytes are no answer, or
    longer than `most_bytes`."""
    data = _read(stream.read, most_bytes)
    return None if data is None else _answer(data)


def whole_answer(data: bytes | bytearray) -> Answer | None:
    """The answer in bytes that are being received; None while some of them are missing. ValueError if they are no
    answer, longer than MAX_FRAME, or followed by more."""
    if len(data) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(data)
    if length > MAX_FRAME or len(data) > _LENGTH.size + length:
        raise ValueError("not one frame")
    return _answer(data[_LENGTH.size :]) if len(data) == _LENGTH.size + length else None


def _answer(data: bytes | bytearray) -> Answer:
    """Decodes an answer. ▲ Bytes that are nested too deep give ValueError too: callers do not expect the decoder's own
    error."""
    try:
        return _answers.decode(data)
    except RecursionError as e:
        raise ValueError("nested too deep") from e


def _read(take: Callable[[int], bytes], most_bytes: int = MAX_FRAME) -> bytes | None:
    head = take(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > most_bytes:
        raise ValueError("frame too long")
    data = take(length)
    return data if len(data) == length else None


_encoder = msgspec.msgpack.Encoder()
_questions: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
