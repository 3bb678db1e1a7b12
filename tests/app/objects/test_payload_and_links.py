# SPDX-License-Identifier: EUPL-1.2
"""How records are written, and links between tools."""

import msgspec
import pytest

from app.core.ids import ObjId, RoomId
from app.errors import BadChange
from app.objects.links import ObjectLink
from app.objects.object import MAX_DATA_BYTES, Payload
from app.rooms import records as rooms

LINK = ObjectLink(room=RoomId(b"R" * 16), obj=ObjId(b"O" * 16), kind="chat", ref=b"\x01\x02")


class Record(msgspec.Struct, frozen=True, tag="said"):
    """A record."""

    text: str


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """Another."""

    target: bytes


PAYLOAD: Payload[Record | Gone] = Payload(Record | Gone)


@pytest.mark.parametrize("record", [Record("Hej åäö 🙂"), Gone(b"x" * 16)])
def test_a_record_is_read_as_it_was_written(record: Record | Gone) -> None:
    data = PAYLOAD.encode(record)
    assert data[0] == 1
    assert PAYLOAD.decode(data) == record


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"\x01", "malformed"),
        (b"\x01\xc1", "malformed"),
        (b"\x02\x80", "format-newer"),
        (b"\x01" + msgspec.msgpack.encode({"type": "other"}), "format-newer"),
        (b"\x01" + msgspec.msgpack.encode({"is": "said"}), "malformed"),
        (b"\x01" + msgspec.msgpack.encode({"type": 5}), "malformed"),
        (b"\x01" + msgspec.msgpack.encode({"type": "said", "text": 5}), "malformed"),
        (b"\x01\x82\xa4type\xa4said\xa4text\xa2\xff\xfe", "malformed"),
        (b"\x01\x82\xa4type\xa4said\xa1x" + b"\x91" * 5000 + b"\x01", "malformed"),
        (b"\x01" * (MAX_DATA_BYTES + 1), "oversize"),
    ],
)
def test_what_is_no_record_is_a_bad_change(data: bytes, code: str) -> None:
    with pytest.raises(BadChange) as e:
        PAYLOAD.decode(data)
    assert e.value.code == code


def test_attack_a_room_record_nested_without_end_is_a_bad_record() -> None:
    with pytest.raises(BadChange) as e:
        rooms.decode(b"\x01\x82\xa2is\xa5named\xa1x" + b"\x91" * 5000 + b"\x01")
    assert e.value.code == "bad-record"


def test_a_link_is_text_and_back() -> None:
    assert ObjectLink.parse(LINK.to_text()) == LINK
    assert LINK.to_text().startswith("kansli://5252")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org",
        "kansli://x/y?kind=chat",
        "kansli://" + "52" * 16 + "/" + "4f" * 16,
        "kansli://[",
        "🙂",
    ],
)
def test_what_is_no_link_of_ours_is_none(text: str) -> None:
    assert ObjectLink.parse(text) is None
