# SPDX-License-Identifier: EUPL-1.2
"""What a request for a part of a file says of itself: name, range, length and hash; and the refusal of one."""

import base64
import binascii
import re
from dataclasses import dataclass
from http import HTTPStatus

_CONTENT_RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})")
_RANGE = re.compile(r"bytes=(\d{1,10})-(\d{0,10})")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class BlobRefusal(Exception):
    """Refuses one HTTP request. `code` is one of ErrorCode's words; `offset` how much of an upload is held."""

    def __init__(self, status: HTTPStatus, code: str, offset: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.offset = offset


@dataclass(frozen=True, slots=True)
class PartName:
    """Which part of which object of which room."""

    room: bytes
    obj: bytes
    part: bytes

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        return self.room, self.obj, self.part

    @classmethod
    def parse(cls, room: str, obj: str, part: str) -> "PartName":
        """From hex; BlobRefusal 404 for anything else."""
        try:
            name = cls(bytes.fromhex(room), bytes.fromhex(obj), bytes.fromhex(part))
        except ValueError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed") from e
        if {len(name.room), len(name.obj), len(name.part)} != {16}:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed")
        return name


@dataclass(frozen=True, slots=True)
class PutHeaders:
    """What a PUT says of itself: bytes start … end-1 of total, and the whole part's hash."""

    start: int
    end: int
    total: int
    sha256: bytes

    @classmethod
    def parse(cls, content_range: str, length: int | None, digest: str, most: int) -> "PutHeaders":
        """BlobRefusal 400 for nonsense, 411 without a length, 413 above `most` bytes."""
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
    """(start, end) of one `Range: bytes=a-b`, None for no range; BlobRefusal 416 outside the part."""
    if not text:
        return None
    found = _RANGE.fullmatch(text)
    start = int(found[1]) if found else size
    end = min(int(found[2]) + 1, size) if found and found[2] else size
    if start >= size or end <= start:
        raise BlobRefusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "malformed")
    return start, end


def digest_header(sha256: bytes) -> str:
    """RFC 9530's form of a hash."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"
