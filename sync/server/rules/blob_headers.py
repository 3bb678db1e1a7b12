# SPDX-License-Identifier: EUPL-1.2
"""Parses the name and headers of a request for a part of a file: name, range, length and hash. Also defines the
refusal of such a request."""

import base64
import binascii
import re
from dataclasses import dataclass
from http import HTTPStatus

from sync.errors import WorldError

_CONTENT_RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})")
_RANGE = re.compile(r"bytes=(\d{1,10})-(\d{0,10})")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class BlobRefusal(WorldError):
    """Raised to refuse one HTTP request for a part of a file. `status`: of the HTTP answer. `code`: an ErrorCode.
    `offset`: how many bytes of the part the server holds from an unfinished upload; None if the answer does not say."""

    def __init__(self, status: HTTPStatus, code: str, offset: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.offset = offset


@dataclass(frozen=True, slots=True)
class PartName:
    """The name of one part of a stored file: the ids of its room, of the object that the file belongs to (`obj`), and
    of the part. 16 bytes each."""

    room: bytes
    obj: bytes
    part: bytes

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        return self.room, self.obj, self.part

    @classmethod
    def parse(cls, room: str, obj: str, part: str) -> "PartName":
        """Parses the ids `room`, `obj` and `part` from hex. BlobRefusal 404 unless each is 16 bytes."""
        try:
            name = cls(bytes.fromhex(room), bytes.fromhex(obj), bytes.fromhex(part))
        except ValueError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed") from e
        if {len(name.room), len(name.obj), len(name.part)} != {16}:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed")
        return name


@dataclass(frozen=True, slots=True)
class PutHeaders:
    """The parsed headers of an HTTP PUT: its body is bytes `start` to `end` - 1 of a part that has `total` bytes.
    `sha256` is the hash of the whole part."""

    start: int
    end: int
    total: int
    sha256: bytes

    @classmethod
    def parse(cls, content_range: str, length: int | None, digest: str, most: int) -> "PutHeaders":
        """Parses the headers of a PUT: `content_range` is Content-Range ("" if the body is the whole part), `length`
        Content-Length, `digest` Repr-Digest. BlobRefusal 400 if one is malformed, if they contradict each other or if
        the body is empty, 411 without a length, 413 if the whole part has more than `most` bytes."""
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        try:
            sha256 = base64.b64decode(found[1], validate=True)
        except binascii.Error as e:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed") from e
        if length is None:
            raise BlobRefusal(HTTPStatus.LENGTH_REQUIRED, "malformed")
        start, end, total = 0, length, length
        if content_range:
            span = _CONTENT_RANGE.fullmatch(content_range)
            if span is None:
                raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
            start, end, total = int(span[1]), int(span[2]) + 1, int(span[3])
        if total > most or length > most:
            raise BlobRefusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversize")
        if not 0 <= start < end <= total or end - start != length:
            raise BlobRefusal(HTTPStatus.BAD_REQUEST, "malformed")
        return cls(start, end, total, sha256)


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """Parses `text`, the value of a download's Range header, for a part of `size` bytes. Returns (start, end), end
    excluded; None if `text` is empty. `bytes=a-b` is a range with b included, cut at the part's end; `bytes=a-` goes to
    the part's end. BlobRefusal 416 if the range is empty or begins at the part's end or beyond, and for every other
    form, such as several ranges or `bytes=-n`."""
    if not text:
        return None
    found = _RANGE.fullmatch(text)
    start = int(found[1]) if found else size
    end = min(int(found[2]) + 1, size) if found and found[2] else size
    if start >= size or end <= start:
        raise BlobRefusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "malformed")
    return start, end


def digest_header(sha256: bytes) -> str:
    """The value of a Repr-Digest header (RFC 9530) for a hash."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"
