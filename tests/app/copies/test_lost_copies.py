# SPDX-License-Identifier: EUPL-1.2
"""Copies whose object or room is gone: nothing of them stays, and what was changed is named as lost."""

from dataclasses import replace

from app.core.ids import ObjId
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.copies.crash_copies import CHANGED, PLAIN, of_message
from tests.app.copies.desks import LABEL, Desk, overwrite
from tests.app.store.conftest import ME, OTHER, ROOM


async def test_destroying_an_object_removes_its_copies_at_once_and_says_what_is_lost(desk: Desk) -> None:
    of = of_message()
    path = await desk.copies.open(of, PLAIN, LABEL)
    await desk.copies.open(replace(of, obj=ObjId(b"another object 1")), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await desk.copies.look()
    lost = list[str]()
    desk.copies.lost.connect(lost.extend)
    event = RoomEvent(n=9, t=9, kind="destroy", by=OTHER, obj=of.obj)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", events=[event]))
    assert lost == [of.name]
    await desk.copies.look()
    assert [file.name for file in desk.plain] == ["Skrivskyddad kopia 2.docx"]
    assert [*(desk.folder / "kept").iterdir()] == []


async def test_a_copy_that_was_changed_a_moment_before_its_object_is_destroyed_is_named_as_lost(desk: Desk) -> None:
    of, lost = of_message(), list[str]()
    path = await desk.copies.open(of, PLAIN, LABEL)
    await desk.copies.open(replace(of, name="Orörd.docx"), PLAIN, LABEL)
    early = await desk.copies.open(replace(of, name="Tidig å.docx"), PLAIN, LABEL)
    overwrite(early, CHANGED)
    await desk.copies.look()
    overwrite(path, CHANGED)  # and no look since
    path.with_name("Bredvid 🙂.docx").write_bytes(CHANGED)
    desk.copies.lost.connect(lost.extend)
    event = RoomEvent(n=9, t=9, kind="destroy", by=OTHER, obj=of.obj)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", events=[event]))
    assert lost == ["Tidig å.docx"]
    await desk.copies.look()
    assert sorted(lost) == ["Beslut åäö 🙂.docx", "Bredvid 🙂.docx", "Tidig å.docx"]
    assert desk.plain == []
    await desk.copies.look()
    assert len(lost) == 3


async def test_what_is_lost_with_a_room_is_named_also_if_kansli_ends_at_once(desk: Desk) -> None:
    path, lost = await desk.copies.open(of_message(), PLAIN, LABEL), list[str]()
    overwrite(path, CHANGED)
    desk.copies.lost.connect(lost.extend)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", gone=[ME]))
    await desk.copies.close()
    assert lost == [of_message().name]
    assert desk.plain == []


async def test_a_room_that_is_gone_leaves_no_copy_in_plain_also_if_kansli_ends_at_once(desk: Desk) -> None:
    await desk.copies.open(of_message(), PLAIN, LABEL)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", gone=[ME]))
    await desk.copies.close()
    assert desk.plain == []


async def test_leaving_a_room_removes_its_copies(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await desk.copies.look()
    lost = list[str]()
    desk.copies.lost.connect(lost.extend)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", gone=[ME]))
    await desk.copies.look()
    assert lost == [of_message().name]
    assert desk.plain == []
    assert [*(desk.folder / "kept").iterdir()] == []


async def test_a_change_that_was_being_encrypted_while_its_object_was_destroyed_is_not_kept(desk: Desk) -> None:
    """It would stay on the computer, and nothing that is deleted later would name it."""
    of, rows = of_message(), desk.bench.store.copies
    overwrite(await desk.copies.open(of, PLAIN, LABEL), CHANGED)
    await desk.copies.look()
    (encrypted,) = rows.changed()
    event = RoomEvent(n=9, t=9, kind="destroy", by=OTHER, obj=of.obj)
    desk.bench.store.receive(ReceivedSlice(room=ROOM, cursor=9, state=b"state", events=[event]))
    assert not rows.keep(encrypted)
    assert rows.changed() == []
    await desk.copies.look()
    assert [*(desk.folder / "kept").iterdir()] == []
