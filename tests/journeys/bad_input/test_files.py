# SPDX-License-Identifier: EUPL-1.2
"""Files that are too large, change while they are read, or have names that no disk should see."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest

from app.chat.records import MessageSent
from app.chat.tool import TOOL as CHAT
from app.core.enums import RoomType
from app.core.ids import RoomId
from app.errors import BadFileName, FileTooLarge, FileUnreadable
from app.objects.files import Pasted
from sync.client.status import LinkState
from sync.client.wire.transport import Answer
from sync.errors import (
    AddressForbidden,
    CertificateRefused,
    NoAddress,
    ProxyWantsName,
    Refused,
    Reject,
    SyncError,
    Unreachable,
)
from sync.server.rules.blob_headers import BlobRefusal
from tests.journeys.bad_input.checks import explained
from tests.journeys.desks import Desk, Offices
from tests.world import until

BAD_NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\Windows\\System32\\kod.dll": "kod.dll",
    "/etc/shadow": "shadow",
    "rad\nbrytning\x00\x1b.txt": "rad brytning.txt",
    "con": "_con",
    "LPT1.txt": "_LPT1.txt",
    "faktura\u202efdp.exe": "fakturafdp.exe",
    "beslut. . .": "beslut",
    "a:b*c?.pdf": "a_b_c_.pdf",
    "åäö 😀.pdf": "åäö 😀.pdf",
}


async def nothing_sent(desk: Desk, room: RoomId) -> None:
    """No part, no message, and after a restart neither."""
    for _ in range(2):
        assert desk.session.store.uploads() == []
        assert [p for p in desk.profile.blobs_folder.rglob("*") if p.is_file()] == []
        assert desk.texts(room) == ["Före, åäö"]
        assert desk.session.store.db.check() == []
        await desk.restart()


async def one(o: Offices) -> tuple[Desk, RoomId]:
    (a,) = await o.hire("Handläggare")
    room = await a.session.rooms.create("Åäö", RoomType.CASE)
    a.session.service(CHAT).send(room, "Före, åäö")
    await until(lambda: a.session.store.waiting_count() == 0)
    return a, room


async def test_a_file_of_300_mb_is_refused_before_anything_is_stored(o: Offices, tmp_path: Path) -> None:
    a, room = await one(o)
    large = tmp_path / "stor.bin"
    with large.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with pytest.raises(FileTooLarge) as e:
        await a.session.service(CHAT).send_file(room, [large])
    explained(e.value.code, "file-too-large")
    await nothing_sent(a, room)


async def test_a_file_just_below_the_limit_is_sent_and_one_above_it_is_not(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    a.session.service(CHAT).files.max_bytes = 100_000
    below, above = tmp_path / "under.bin", tmp_path / "över.bin"
    below.write_bytes(b"\xe5" * 100_000)
    above.write_bytes(b"\xe5" * 100_001)
    with pytest.raises(FileTooLarge):
        await a.session.service(CHAT).send_file(room, [below, above], "Båda")
    assert a.session.store.uploads() == []
    await a.session.service(CHAT).send_file(room, [below], "Den ena")
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == 1)
    message = b.session.service(CHAT).timeline(room).message(0)
    found = await b.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "hem.bin")
    assert found.read_bytes() == below.read_bytes()


async def test_a_file_that_shrinks_while_it_is_read_is_refused(
    o: Offices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, room = await one(o)
    file = tmp_path / "krymper.bin"
    file.write_bytes(b"x" * 1000)
    monkeypatch.setattr("app.objects.files.size_of", lambda path: 5000)
    with pytest.raises(FileUnreadable) as e:
        await a.session.service(CHAT).send_file(room, [file])
    explained(e.value.code, "file-unreadable")
    await nothing_sent(a, room)


async def test_a_name_with_nothing_usable_in_it_is_refused(o: Offices, tmp_path: Path) -> None:
    a, room = await one(o)
    file = tmp_path / "\x01\x02"
    file.write_bytes(b"x")
    with pytest.raises(BadFileName) as e:
        await a.session.service(CHAT).send_file(room, [file])
    explained(e.value.code, "bad-file-name")
    await nothing_sent(a, room)


async def test_a_received_name_never_leaves_the_folder_or_harms_it(o: Offices, tmp_path: Path) -> None:
    """Another client sends names that ours would never write."""
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    file = tmp_path / "ok.txt"
    file.write_bytes("Innehåll åäö".encode())
    await a.session.service(CHAT).send_file(room, [file])
    await until(lambda: a.session.store.waiting_count() == 0)
    (attachment,) = a.session.service(CHAT).timeline(room).message(0).attachments
    writing = a.session.service(CHAT)._writing
    for name in BAD_NAMES:
        bad = msgspec.structs.replace(attachment, name=name)
        writing.write(room, writing.place(room), MessageSent(text="", attachments=(bad,)))
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == 1 + len(BAD_NAMES))
    home = tmp_path / "hem"
    home.mkdir()
    for at in range(1, 1 + len(BAD_NAMES)):
        message = b.session.service(CHAT).timeline(room).message(at)
        found = await b.session.service(CHAT).fetch_file(room, message, 0, home)
        assert found.parent == home
    assert sorted(p.name for p in home.iterdir()) == sorted(BAD_NAMES.values())
    assert b.session.store.db.check() == []


@pytest.mark.parametrize("code", ["full", "quota"])
async def test_a_file_that_the_server_has_no_room_for_waits_says_so_and_is_sent_later(
    o: Offices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("sync.client.exchange.blob_transfer.RETRY_S", 0.05)
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    assert o.w.running is not None
    blobs = o.w.running.service.blobs
    real = blobs._check_quota

    async def no_room(*_: object, **__: object) -> None:
        raise BlobRefusal(HTTPStatus.INSUFFICIENT_STORAGE, code)

    monkeypatch.setattr(blobs, "_check_quota", no_room)
    file = tmp_path / "beslut åäö.pdf"
    file.write_bytes(b"x" * 5000)
    await a.session.service(CHAT).send_file(room, [file], "Beslutet")
    await until(lambda: a.session.rooms.notices(room) == [code])
    explained(code, code)
    a.session.service(CHAT).send(room, "Det här kommer fram ändå")
    await until(lambda: "Det här kommer fram ändå" in b.texts(room))
    assert a.session.rooms.notices(room) == [code]
    assert len(a.session.store.uploads()) == 1
    monkeypatch.setattr(blobs, "_check_quota", real)
    await until(lambda: len(b.texts(room)) == 2)
    await until(lambda: a.session.rooms.notices(room) == [])


@pytest.mark.parametrize("harm", [Path.unlink, lambda p: p.write_bytes(b"x")], ids=["gone", "damaged"])
async def test_a_file_that_is_gone_before_it_was_sent_holds_up_nothing_else(
    o: Offices, tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    """A virus scanner took it, or the disk lost it."""
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    file = tmp_path / "beslut åäö.pdf"
    file.write_bytes(b"x" * 5000)
    await o.w.stop_server()
    await until(lambda: a.session.engine.status.state is LinkState.OFFLINE)
    await a.session.service(CHAT).send_file(room, [file], "Beslutet")
    (part,) = [p for p in a.profile.blobs_folder.rglob("*") if p.is_file()]
    harm(part)
    file.write_bytes(b"y" * 5000)
    await a.session.service(CHAT).send_file(room, [file], "Nästa")
    a.session.service(CHAT).send(room, "Det här kommer fram ändå")
    await o.w.start_server()
    a.session.engine.retry_now()
    await until(lambda: sorted(b.texts(room)) == ["Det här kommer fram ändå", "Nästa"])
    await until(lambda: a.session.engine.status.state is LinkState.ONLINE)
    await until(lambda: a.session.rooms.notices(room) == ["part-unreadable"])
    explained("part-unreadable", "part-unreadable")
    assert len(a.session.store.uploads()) == 1


@pytest.mark.parametrize(
    "why",
    [
        Unreachable("blob transfer"), AddressForbidden("host"), ProxyWantsName("407"), NoAddress("none"),
        CertificateRefused("blob transfer"), Refused("internal"), Reject("malformed", "reply Ok"),
    ],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
async def test_a_way_that_carries_no_files_carries_the_rest(
    o: Offices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: SyncError
) -> None:
    """A box on the way breaks off what is long, or the settings forbid requests beside the socket."""
    monkeypatch.setattr("sync.client.exchange.blob_transfer.RETRY_S", 0.05)
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    dialer = a.session.engine.blobs._dialer
    tries: list[str] = []

    async def broken_off(method: str, *_: object) -> Answer:
        tries.append(method)
        raise why

    monkeypatch.setattr(dialer, "request", broken_off)
    file = tmp_path / "beslut åäö.pdf"
    file.write_bytes(b"x" * 5000)
    await a.session.service(CHAT).send_file(room, [file], "Beslutet")
    await until(lambda: len(tries) > 5)
    assert a.session.engine.status.state is LinkState.ONLINE
    a.session.service(CHAT).send(room, "Det här kommer fram ändå")
    await until(lambda: "Det här kommer fram ändå" in b.texts(room))
    assert a.session.rooms.notices(room) == [why.code]
    monkeypatch.undo()
    await until(lambda: len(b.texts(room)) == 2)
    await until(lambda: a.session.rooms.notices(room) == [])


async def test_a_file_that_is_given_up_just_before_its_upload_is_no_fault(o: Offices, tmp_path: Path) -> None:
    """Its message was cancelled while another of its files was encrypted."""
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    await o.w.stop_server()
    await until(lambda: a.session.engine.status.state is LinkState.OFFLINE)
    session = a.session
    channel = session.service(CHAT).channel(room)
    assert channel is not None
    _, given_up = await session.files.add(room, channel, Pasted("å.txt", b"x" * 5000), lambda done, total: None)
    (listed,) = session.store.uploads()
    session.files.drop(given_up)
    assert await session.engine.blobs._try(listed)
    assert session.engine.blobs.refused == {}
