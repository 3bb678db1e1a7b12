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
    """Refuses one HTTP request. `code`: an ErrorCode. `offset`: the bytes of an unfinished upload that are held, None
    if that does not matter."""

    def __init__(self, status: HTTPStatus, code: str, offset: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.offset = offset


@dataclass(frozen=True, slots=True)
class PartName:
    """Names a part of a file by room, object and part."""

    room: bytes
    obj: bytes
    part: bytes

    @property
    def key(self) -> tuple[bytes, bytes, bytes]:
        return self.room, self.obj, self.part

    @classmethod
    def parse(cls, room: str, obj: str, part: str) -> "PartName":
        """The name from three ids in hex. BlobRefusal 404 if one is no id."""
        try:
            name = cls(bytes.fromhex(room), bytes.fromhex(obj), bytes.fromhex(part))
        except ValueError as e:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed") from e
        if {len(name.room), len(name.obj), len(name.part)} != {16}:
            raise BlobRefusal(HTTPStatus.NOT_FOUND, "malformed")
        return name


@dataclass(frozen=True, slots=True)
class PutHeaders:
    """The piece that a PUT sends: bytes start … end-1 of total, and the whole part's hash."""

    start: int
    end: int
    total: int
    sha256: bytes

    @classmethod
    def parse(cls, content_range: str, length: int | None, digest: str, most: int) -> "PutHeaders":
        """Parses the headers of a PUT. BlobRefusal 400 if one is malformed, 411 without a length, 413 above `most`
        bytes."""
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
    """(start, end) of a header `Range: bytes=a-b`; None without the header. BlobRefusal 416 if the range is outside the
    part."""
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
