# SPDX-License-Identifier: EUPL-1.2
"""What was being written in a room is kept, also when the disk refuses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.drafts import Draft
from app.core.ids import ObjId, RoomId
from app.errors import DiskFull
from tests.office import CHANNEL, HL, ROOM, Desk, desk


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "hl", HL)
    yield made
    made.close()


def test_a_draft_is_kept_and_forgotten(hl: Desk) -> None:
    hl.chat.keep_draft(ROOM, Draft(text="halv mening å"))
    assert hl.chat.draft(ROOM).text == "halv mening å"
    hl.chat.keep_draft(ROOM, Draft())
    assert hl.chat.draft(ROOM) == Draft()


def test_a_draft_that_a_full_disk_refused_is_stored_later(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise DiskFull

    draft = Draft(text="halv mening å 🙂")
    with monkeypatch.context() as full:
        full.setattr(hl.chat._objects, "set_draft", refuse)
        with pytest.raises(DiskFull):
            hl.chat.keep_draft(ROOM, draft)
        assert hl.chat.draft(ROOM) == draft
        with pytest.raises(DiskFull):
            hl.chat.save()
    hl.chat.save()
    hl.chat._drafts._unkept.clear()
    assert hl.chat.draft(ROOM) == draft


def test_a_draft_that_is_refused_keeps_no_other_from_being_stored(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    store = hl.chat._objects.set_draft
    rooms, full = [RoomId(b"a" * 16), ROOM], set[RoomId]()

    def refuse(room: RoomId, obj: ObjId, draft: bytes | None) -> None:
        if room in full:
            raise DiskFull
        store(ROOM, CHANNEL, draft)

    monkeypatch.setattr(hl.chat._objects, "set_draft", refuse)
    monkeypatch.setattr(hl.chat._drafts, "_channel", lambda room: CHANNEL)
    full.update(rooms)
    for room in rooms:
        with pytest.raises(DiskFull):
            hl.chat.keep_draft(room, Draft(text=f"halv mening å {room[:1]!r}"))
    full.remove(ROOM)
    with pytest.raises(DiskFull):
        hl.chat.save()
    assert [one.obj for one in hl.chat.unstored()] == [ObjId(rooms[0])]


def test_a_draft_in_a_room_without_a_conversation_is_not_reported_as_unstored_for_ever(
    hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        full.setattr(hl.chat._drafts, "_channel", refuse)
        with pytest.raises(DiskFull):
            hl.chat.keep_draft(RoomId(b"a" * 16), Draft(text="halv mening å"))
    hl.chat.save()
    assert hl.chat.unstored() == []
