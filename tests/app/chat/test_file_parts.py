# SPDX-License-Identifier: EUPL-1.2
"""What is kept of a received file stays while a message that is not deleted names it, and goes with the last one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.records import Attachment, MessageDeleted, MessageSent, encode
from app.core.ids import ObjId, PartId, RoomId, Uid
from app.store.cached_parts import WantedPart
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.blob_manifest import Manifest, Part, encrypt_part
from tests.app.chat.destroys import destroy
from tests.app.chat.months import DECEMBER, NOVEMBER, announced, come, months_object, written
from tests.app.chat.successors import NEXT, THERE, carry, successor
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk, from_others


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def parts_of_a_file() -> list[Part]:
    return [encrypt_part(ROOM, bytes([n]) * 1000, last=n == 1)[0] for n in range(2)]


def sent(*parts: Part) -> MessageSent:
    """A message with a file of these parts."""
    manifest = Manifest(sum(part.length for part in parts), parts).encode()
    file = Attachment(name="Beslut å.docx", size_bytes=1, media_type="x/y", manifest=manifest)
    return MessageSent(text="Här", attachments=(file,))


def message(*parts: Part) -> bytes:
    """As `sent`, in bytes."""
    return encode(sent(*parts))


def keep(at: Desk, parts: list[Part], obj: ObjId = CHANNEL, room: RoomId = ROOM) -> None:
    """Keeps the parts offline, as those of an object."""
    wanted = [WantedPart(part=PartId(p.part), room=room, obj=obj, digest=p.digest, size=1000) for p in parts]
    at.store.cached.pin(wanted)


def kept(at: Desk, parts: list[Part]) -> list[bool]:
    pinned = at.store.cached.pinned([part.digest for part in parts])
    return [part.digest in pinned for part in parts]


def delete(at: Desk, uid: Uid, row: int, n: int) -> None:
    target = at.chat.timeline(ROOM).message(row).change_id
    from_others(at, uid, CHANNEL, [encode(MessageDeleted(target=target))], n=n, t=n * 1000)


def test_attack_a_colleague_s_file_that_is_posted_again_and_deleted_stays_kept(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts)], n=2, t=2000)
    keep(hl, parts)
    from_others(hl, RG, CHANNEL, [message(*parts), message(parts[1])], n=3, t=3000)
    delete(hl, RG, 1, 5)
    delete(hl, RG, 2, 6)
    assert kept(hl, parts) == [True, True]
    delete(hl, EK, 0, 7)
    assert kept(hl, parts) == [False, False]


def test_what_a_second_message_names_of_a_deleted_one_stays(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts), message(parts[0])], n=2, t=2000)
    keep(hl, parts)
    delete(hl, EK, 0, 5)
    assert kept(hl, parts) == [True, False]


def test_of_two_messages_with_the_same_file_either_keeps_it(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts), message(*parts)], n=2, t=2000)
    keep(hl, parts)
    delete(hl, EK, 0, 5)
    assert kept(hl, parts) == [True, True]
    assert hl.store.db.value("SELECT count(*) FROM chat_file_parts") == 2


def of_two_months(at: Desk, parts: list[Part], held_by: ObjId) -> ObjId:
    """The same file in two months, kept offline as one of `held_by`. Returns the second month's object."""
    december = months_object(1)
    come(at, written(CHANNEL, 10, NOVEMBER, sent(*parts)), announced(december, 11, DECEMBER))
    come(at, written(december, 12, DECEMBER, sent(*parts)))
    keep(at, parts, held_by)
    return december


@pytest.mark.parametrize("held_by", [CHANNEL, months_object(1)], ids=["first", "second"])
@pytest.mark.parametrize("first", [True, False], ids=["first-goes", "second-goes"])
async def test_a_file_of_two_months_goes_with_the_last_of_them(hl: Desk, held_by: ObjId, first: bool) -> None:
    parts = parts_of_a_file()
    gone, left = (CHANNEL, of_two_months(hl, parts, held_by))[:: 1 if first else -1]
    destroy(hl.store, obj=gone)
    await hl.store.destroyed.complete()
    assert kept(hl, parts) == [True, True]
    assert {obj for (obj,) in hl.store.db.rows("SELECT obj FROM cached_parts")} == {left}
    destroy(hl.store, obj=left, n=901)
    assert kept(hl, parts) == [False, False]


async def test_two_months_with_the_same_file_that_are_destroyed_at_once_leave_nothing(hl: Desk) -> None:
    parts = parts_of_a_file()
    december = of_two_months(hl, parts, CHANNEL)
    events = [
        RoomEvent(n=900 + i, t=DECEMBER, kind="destroy", by=EK, obj=obj) for i, obj in enumerate((CHANNEL, december))
    ]
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=902, state=b"", events=events))
    assert kept(hl, parts) == [False, False]


@pytest.mark.parametrize("held_by", [(ROOM, CHANNEL), (NEXT, THERE)], ids=["old", "new"])
def test_a_file_of_a_carried_message_goes_with_the_room_that_has_it(hl: Desk, held_by: tuple[RoomId, ObjId]) -> None:
    parts = carried_over(hl, held_by)
    destroy(hl.store)
    assert kept(hl, parts) == [False, False]


@pytest.mark.parametrize("held_by", [(ROOM, CHANNEL), (NEXT, THERE)], ids=["old", "new"])
def test_a_file_of_a_carried_message_stays_if_only_that_message_is_destroyed(
    hl: Desk, held_by: tuple[RoomId, ObjId]
) -> None:
    parts = carried_over(hl, held_by)
    event = RoomEvent(n=900, t=DECEMBER, kind="destroy", by=EK, obj=THERE)
    hl.store.receive(ReceivedSlice(room=NEXT, cursor=900, state=b"", events=[event]))
    assert kept(hl, parts) == [True, True]
    assert {obj for (obj,) in hl.store.db.rows("SELECT obj FROM cached_parts")} == {CHANNEL}


def carried_over(at: Desk, held_by: tuple[RoomId, ObjId]) -> list[Part]:
    """A message with a file that was carried over into the next room; the file is kept offline as one of `held_by`."""
    parts = parts_of_a_file()
    from_others(at, EK, CHANNEL, [message(*parts)], n=2, t=2000)
    successor(at)
    assert carry(at) == 1
    keep(at, parts, held_by[1], held_by[0])
    return parts
