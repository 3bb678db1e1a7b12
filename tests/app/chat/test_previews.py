# SPDX-License-Identifier: EUPL-1.2
"""Which bytes count as a preview: decided by the bytes, before anything is decoded."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.previews import MAX_BYTES, is_preview, size_of
from app.chat.records import Attachment, MessageSent, decode, encode

JFIF = bytes.fromhex("ffe000104a46494600010100000100010000")
TABLE = b"\xff\xdb\x00\x43\x00" + bytes(range(1, 65))
HUFFMAN = b"\xff\xc4\x00\x14\x00\x01" + bytes(16)
SCAN = bytes.fromhex("ffda0008010100003f00")
END = b"\xff\xd9"


def frame(width: int, height: int, marker: int = 0xC0, bits: int = 8, parts: int = 1) -> bytes:
    body = struct.pack(">BHHB", bits, height, width, parts) + b"\x01\x11\x00" * parts
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(body)) + body


def jpeg(*segments: bytes, scan: bytes = SCAN, data: bytes = b"\x12\xff\x00\x34", end: bytes = END) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + scan + data + end


GOOD = (JFIF, TABLE, frame(720, 480), HUFFMAN)


def test_a_small_baseline_jpeg_is_a_preview() -> None:
    assert size_of(jpeg(*GOOD)) == (720, 480)
    assert size_of(jpeg(JFIF, TABLE, frame(1, 2, parts=3), HUFFMAN)) == (1, 2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        jpeg(*GOOD)[:-1],
        jpeg(*GOOD) + b"x",
        jpeg(*GOOD, data=b"\x00" * MAX_BYTES),
        jpeg(JFIF, TABLE, frame(721, 480), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 481), HUFFMAN),
        jpeg(JFIF, TABLE, frame(0, 480), HUFFMAN),
        jpeg(JFIF, TABLE, frame(8000, 8000), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 480, bits=12), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 480, parts=4), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 480, marker=0xC2), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 480, marker=0xC9), HUFFMAN),
        jpeg(JFIF, TABLE, frame(720, 480), frame(720, 480), HUFFMAN),
        jpeg(JFIF, TABLE, HUFFMAN),
        jpeg(*GOOD, b"\xff\xe2\x00\x04xx"),
        jpeg(*GOOD, b"\xff\xe1\x00\x04xx"),
        jpeg(*GOOD, b"\xff\xfe\x00\x04xx"),
        jpeg(*GOOD, data=b"\x12" + SCAN + b"\x34"),
        jpeg(*GOOD, data=b"\x12\xff\xff\x00\xd9"),
    ],
    ids=["nothing", "png", "svg", "cut", "more behind it", "too many bytes", "too wide", "too high", "no width",
         "8000 × 8000", "12 bits", "CMYK", "progressive", "arithmetic", "two frames", "no frame", "colour profile",
         "EXIF", "comment", "two scans", "filled"],
)  # fmt: skip
def test_other_bytes_are_none(data: bytes) -> None:
    assert not is_preview(data)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: b"\xff\xd8" + JFIF + tail))
def test_any_bytes_are_judged_without_a_fault(data: bytes) -> None:
    assert is_preview(data) in (True, False)


@pytest.mark.parametrize(
    ("preview", "left"), [(jpeg(*GOOD), jpeg(*GOOD)), (b"GIF89a" + bytes(20), b"")], ids=["preview", "gif"]
)
def test_attack_bytes_that_are_no_preview_are_left_out_where_a_record_is_read(preview: bytes, left: bytes) -> None:
    file = Attachment(name="bild å 🙂.jpg", size_bytes=5, media_type="image/jpeg", manifest=b"m", preview=preview)
    record = decode(encode(MessageSent(text="", attachments=(file,))))
    assert isinstance(record, MessageSent)
    assert [one.preview for one in record.attachments] == [left]
