# SPDX-License-Identifier: EUPL-1.2
"""The chat over a real store: sending, authority, unread marks, drafts, files, and rows that say the same twice."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.chat import records
from app.chat.errors import EmptyMessage
from app.chat.ports import Progress
from app.chat.projection import positioned, project
from app.chat.reads import MAX_REACTIONS
from app.chat.records import MessageDeleted, MessageEdited, MessageSent, ReactionSet, encode
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.errors import BadFileName, ExportOff, FileTooLarge, Forbidden, NotFound
from app.objects.files import Source
from app.objects.object import Payload
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.errors import TooSlow
from tests.app.chat.mentions import mentions
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, Positions, desk, from_others


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "hl", HL)
    yield made
    made.close()


@pytest.fixture
def ek(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "ek", EK)
    yield made
    made.close()


@pytest.fixture
def server(hl: Desk, ek: Desk) -> Positions:
    return Positions([hl, ek])


def texts(at: Desk) -> list[str]:
    timeline = at.chat.timeline(ROOM)
    return [timeline.message(i).text for i in range(len(timeline))]


def test_a_message_is_there_at_once_and_waits_until_the_server_has_it(hl: Desk, server: Positions) -> None:
    timeline = hl.chat.timeline(ROOM)
    hl.chat.send(ROOM, "Komplettering från sökanden är inkommen 🙂")
    assert timeline.message(0).waiting
    server.deliver()
    assert not timeline.message(0).waiting


def test_two_desks_show_the_same_in_the_servers_order(hl: Desk, ek: Desk, server: Positions) -> None:
    assert texts(hl) == texts(ek) == []
    hl.chat.send(ROOM, "ett")
    ek.chat.send(ROOM, "två")
    hl.chat.send(ROOM, "tre")
    assert texts(hl) == ["ett", "tre"]
    server.deliver()
    assert texts(hl) == texts(ek) == ["ett", "tre", "två"]


def test_nothing_is_no_message(hl: Desk) -> None:
    with pytest.raises(EmptyMessage):
        hl.chat.send(ROOM, "  \n ")


def test_an_edit_shows_the_new_text_and_that_it_was_edited(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "lagrummet är 4 §")
    server.deliver()
    hl.chat.edit(ROOM, first, "lagrummet är 5 §")
    server.deliver()
    assert texts(hl) == texts(ek) == ["lagrummet är 5 §"]
    assert ek.chat.timeline(ROOM).message(0).edited_t is not None


def test_others_messages_are_not_edited_or_deleted_by_a_writer(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "mitt")
    server.deliver()
    with pytest.raises(Forbidden):
        ek.chat.edit(ROOM, first, "ditt")
    with pytest.raises(Forbidden):
        ek.chat.delete(ROOM, first)


def test_a_forged_edit_or_deletion_has_no_effect_anywhere(hl: Desk) -> None:
    first = hl.chat.send(ROOM, "mitt")
    forged = [encode(MessageEdited(target=first, text="ditt")), encode(MessageDeleted(target=first))]
    from_others(hl, EK, CHANNEL, forged, n=50, t=5)
    message = hl.chat.timeline(ROOM).message(0)
    assert (message.text, message.edited_t, message.deleted) == ("mitt", None, False)


def test_what_a_founder_deleted_stays_deleted_when_they_are_no_longer_owner(ek: Desk) -> None:
    """Judged at its own position: the store reads it when the founder has been lowered already."""
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=HL)
    lowered = RoomEvent(n=60, t=60, kind="role", by=RG, subject=HL, role=Role.WRITER)
    members = [MemberRow(uid=HL, role=Role.WRITER, since_n=0, history=True)]
    ek.store.receive(ReceivedSlice(room=ROOM, cursor=60, state=b"", events=[genesis, lowered], members=members))
    first = ek.chat.send(ROOM, "olämpligt")
    from_others(ek, HL, CHANNEL, [encode(MessageDeleted(target=first))], n=50, t=5)
    assert ek.chat.timeline(ROOM).message(0).deleted_by == HL
    second = ek.chat.send(ROOM, "lämpligt")
    from_others(ek, HL, CHANNEL, [encode(MessageDeleted(target=second))], n=70, t=70)
    assert not ek.chat.timeline(ROOM).message(1).deleted


def test_a_deleted_message_leaves_its_trace_and_no_text(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "Personnumret i bilagan @Enhetschef")
    server.deliver()
    ek.chat.react(ROOM, first, "👍")
    hl.chat.delete(ROOM, first)
    server.deliver()
    message = ek.chat.timeline(ROOM).message(0)
    assert (message.deleted_by, message.text, message.reactions, message.mentions) == (HL, "", (), ())
    assert ek.store.search.find_here("personnumret") == []
    assert mentions(ek.store, ek.chat) == []


def test_an_owner_deletes_what_others_wrote(hl: Desk, ek: Desk, server: Positions) -> None:
    hl.folk.admin = True
    first = ek.chat.send(ROOM, "olämpligt")
    server.deliver()
    hl.chat.delete(ROOM, first)
    server.deliver()
    assert ek.chat.timeline(ROOM).message(0).deleted_by == HL


def test_a_program_that_lacks_a_record_of_today_keeps_it_and_shows_the_rest(
    hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newer program added to chat: nothing of it is lost, and what is known goes on."""
    sent = [MessageSent(text="ett"), MessageSent(text="två 🙂")]
    newer = encode(ReactionSet(target=b"t" * 16, emoji="👍", on=True))
    emitted = [encode(sent[0]), newer, encode(sent[1])]
    older: Payload[MessageSent | MessageEdited | MessageDeleted] = Payload(MessageSent | MessageEdited | MessageDeleted)
    monkeypatch.setattr(records, "_PAYLOAD", older)
    from_others(hl, EK, CHANNEL, emitted, n=20, t=5)
    assert texts(hl) == ["ett", "två 🙂"]
    kept = hl.store.db.conn.execute("SELECT data FROM changes WHERE obj=? ORDER BY rowid", (CHANNEL,)).fetchall()
    assert [data for (data,) in kept] == emitted


def test_an_edit_that_comes_before_its_message_still_counts(hl: Desk) -> None:
    target = ChangeId(b"t" * 16)
    from_others(hl, EK, CHANNEL, [encode(MessageEdited(target=target, text="nytt"))], n=20, t=5)
    late = OpenedChange(
        n=19, t=4, uid=EK, dev=DevId(EK), obj=CHANNEL, change_id=target, payload=encode(MessageSent(text="gammalt"))
    )
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=20, state=b"", changes=[late]))
    assert texts(hl) == ["nytt"]


def test_reactions_are_counted_once_a_person_and_taken_back(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "klart")
    hl.chat.react(ROOM, first, "👍")
    server.deliver()
    ek.chat.react(ROOM, first, "👍")
    ek.chat.react(ROOM, first, "👀")
    server.deliver()
    ek.chat.react(ROOM, first, "👀")
    server.deliver()
    reactions = hl.chat.timeline(ROOM).message(0).reactions
    assert [(r.emoji, r.uids) for r in reactions] == [("👍", (HL, EK))]


def test_attack_thousands_of_different_reactions_are_not_all_painted(hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Å"))], n=2, t=1000)
    first = hl.chat.timeline(ROOM).message(0).change_id
    many = [encode(ReactionSet(target=first, emoji=chr(0x1F300 + n), on=True)) for n in range(200)]
    from_others(hl, EK, CHANNEL, many, n=10, t=2000)
    assert len(hl.chat.timeline(ROOM).message(0).reactions) == MAX_REACTIONS


def test_an_own_reaction_that_is_not_among_those_shown_is_taken_back(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "Förslag å")
    server.deliver()
    for n in range(MAX_REACTIONS):
        ek.chat.react(ROOM, first, chr(0x1F600 + n))
    server.deliver()
    hl.chat.react(ROOM, first, "👍")
    server.deliver()
    hl.chat.react(ROOM, first, "👍", True)
    assert hl.store.pending(10) == []
    hl.chat.react(ROOM, first, "👍")
    server.deliver()
    assert ek.store.db.rows("SELECT emoji FROM chat_reactions WHERE uid = ?", (HL,)) == []


def test_nobody_reacts_in_a_room_that_they_may_only_read(hl: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "Förslag å")
    server.deliver()
    hl.folk.writer = False
    with pytest.raises(Forbidden):
        hl.chat.react(ROOM, first, "👍")
    assert hl.store.pending(10) == []


def test_an_answer_quotes_and_is_counted(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "Kan du titta på avsnitt 3?")
    server.deliver()
    ek.chat.send(ROOM, "Ser bra ut.", reply_to=first)
    server.deliver()
    timeline = hl.chat.timeline(ROOM)
    quote = timeline.message(1).quote
    assert quote is not None
    assert (quote.author, quote.text) == (HL, "Kan du titta på avsnitt 3?")
    assert timeline.message(0).replies == 1


def test_unread_and_mentions_are_counted_and_read(hl: Desk, ek: Desk, server: Positions) -> None:
    hl.chat.send(ROOM, "ett")
    hl.chat.send(ROOM, "@Enhetschef två")
    server.deliver()
    assert ek.chat.unread(ROOM) == (2, 1)
    assert hl.chat.unread(ROOM) == (0, 0)
    assert ek.chat.timeline(ROOM).first_unread == 0
    ek.chat.mark_read(ROOM, [row.change_id for row in map(ek.chat.timeline(ROOM).message, range(2))])
    assert ek.chat.unread(ROOM) == (0, 0)
    assert [(row.text, row.unread) for row in mentions(ek.store, ek.chat)] == [("@Enhetschef två", False)]
    hl.chat.send(ROOM, "tre")
    server.deliver()
    assert ek.chat.unread(ROOM) == (1, 0)


def test_the_rooms_line_shows_the_latest(hl: Desk, ek: Desk, server: Positions) -> None:
    hl.chat.send(ROOM, "**Utkast** till beslut klart")
    server.deliver()
    row = ek.store.rooms_list.get(ROOM)
    assert row is not None
    assert (row.last_preview, row.last_by) == ("Utkast till beslut klart", HL)


def test_the_rooms_line_shows_what_came_before_a_deleted_message(hl: Desk, ek: Desk, server: Positions) -> None:
    first, second = hl.chat.send(ROOM, "Utkast å"), ek.chat.send(ROOM, "Fel fönster")
    server.deliver()

    def line(desk: Desk) -> tuple[str, Uid | None]:
        row = desk.store.rooms_list.get(ROOM)
        assert row is not None
        return row.last_preview, row.last_by

    assert line(hl) == ("Fel fönster", EK)
    ek.chat.delete(ROOM, second)
    server.deliver()
    assert line(hl) == line(ek) == ("Utkast å", HL)
    hl.chat.delete(ROOM, first)
    server.deliver()
    assert line(hl)[0] == line(ek)[0] == ""


def test_words_are_found_by_search(hl: Desk) -> None:
    first = hl.chat.send(ROOM, "Yttrande från Ängelholms kommun")
    assert [hit.ref for hit in hl.store.search.find_here("ängelholm")] == [first]


def test_projecting_twice_changes_nothing(hl: Desk, ek: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "ett")
    hl.chat.edit(ROOM, first, "två")
    hl.chat.react(ROOM, first, "👍")
    server.deliver()
    before = _dump(hl)
    found = hl.store.objects.get(CHANNEL)
    assert found is not None
    changes = hl.store.changes.of(CHANNEL)
    with hl.store.db.transaction() as conn:
        project(conn, found, changes)
        positioned(conn, found, changes)
    assert _dump(hl) == before


def test_a_read_model_built_from_scratch_is_the_same(hl: Desk, server: Positions) -> None:
    first = hl.chat.send(ROOM, "ett @Registrator")
    hl.chat.send(ROOM, "två", reply_to=first)
    hl.chat.edit(ROOM, first, "ändrat")
    server.deliver()
    before = _dump(hl)
    found = hl.store.objects.get(CHANNEL)
    assert found is not None
    with hl.store.db.transaction() as conn:
        for table in ("messages", "notes", "reactions", "mentions"):
            conn.execute(f"DELETE FROM chat_{table}")  # noqa: S608 - constants
        project(conn, found, hl.store.changes.of(CHANNEL))
    assert _dump(hl) == before


def _dump(at: Desk) -> list[list[tuple[object, ...]]]:
    return [at.store.db.rows(f"SELECT * FROM chat_{t} ORDER BY 1, 2") for t in ("messages", "reactions", "mentions")]  # noqa: S608


def test_a_record_of_nonsense_is_kept_and_stops_nothing(hl: Desk) -> None:
    good = encode(MessageSent(text="gott"))
    from_others(hl, EK, CHANNEL, [good, b"\x01junk", b"\x63", good], n=20, t=5)
    assert texts(hl) == ["gott", "gott"]
    assert len(hl.store.changes.unprojected()) == 2


class FolderBlobs:
    """Blobs that lie as they are in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate: asyncio.Event | None = None

    async def add(self, room: RoomId, obj: ObjId, source: Source, progress: Progress) -> tuple[bytes, Sequence[bytes]]:
        progress(0, 2)
        if self.gate is not None:
            await self.gate.wait()
        self.folder.mkdir(exist_ok=True)
        assert isinstance(source, Path)
        await asyncio.to_thread(shutil.copy, source, self.folder / source.name)
        progress(2, 2)
        return source.name.encode(), []

    def give(self, obj: ObjId, manifests: Sequence[bytes]) -> Sequence[bytes]:
        """Does nothing: these blobs have no parts."""
        return []

    def drop(self, parts: Sequence[bytes]) -> None:
        """Does nothing: these blobs have no parts."""

    async def fetch(self, room: RoomId, obj: ObjId, manifest: bytes, target: Path, progress: Progress) -> None:
        await asyncio.to_thread(shutil.copy, self.folder / manifest.decode(), target)
        progress(1, 1)

    async def read(self, room: RoomId, obj: ObjId, manifest: bytes, most_bytes: int, progress: Progress) -> bytes:
        return await asyncio.to_thread((self.folder / manifest.decode()).read_bytes)


@pytest.fixture
def blobs(hl: Desk, tmp_path: Path) -> FolderBlobs:
    made = FolderBlobs(tmp_path / "parts")
    hl.chat.files._blobs = made
    return made


async def test_a_file_is_sent_and_fetched_under_a_free_name(hl: Desk, blobs: FolderBlobs, tmp_path: Path) -> None:
    path = tmp_path / "Komplettering å.pdf"
    path.write_bytes(b"%PDF-1")
    await hl.chat.send_file(ROOM, [path], "Aktbilaga 14")
    message = hl.chat.timeline(ROOM).message(0)
    assert [(a.name, a.size_bytes, a.media_type) for a in message.attachments] == [
        ("Komplettering å.pdf", 6, "application/pdf")
    ]
    hl.chat.may_export = lambda: False
    with pytest.raises(ExportOff):
        hl.chat.check_export()
    with pytest.raises(ExportOff):
        await hl.chat.fetch_file(ROOM, message, 0, tmp_path)
    hl.chat.may_export = lambda: True
    for outside in (-1, 1):
        with pytest.raises(NotFound):
            await hl.chat.fetch_file(ROOM, message, outside, tmp_path)
    saved = await hl.chat.fetch_file(ROOM, message, 0, tmp_path)
    assert (saved.name, saved.read_bytes()) == ("Komplettering å (2).pdf", b"%PDF-1")


async def test_a_file_above_the_limit_is_refused_before_anything_is_sealed(
    hl: Desk, blobs: FolderBlobs, tmp_path: Path
) -> None:
    path = tmp_path / "inspelning.mkv"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with pytest.raises(FileTooLarge) as refused:
        await hl.chat.send_file(ROOM, [path])
    assert refused.value.code == "file-too-large"
    assert not blobs.folder.exists()
    assert texts(hl) == []


async def test_a_name_of_control_characters_is_refused(hl: Desk, blobs: FolderBlobs, tmp_path: Path) -> None:
    path = tmp_path / "\x01\x02"
    path.write_bytes(b"x")
    with pytest.raises(BadFileName) as refused:
        await hl.chat.send_file(ROOM, [path])
    assert refused.value.code == "bad-file-name"


async def test_a_transfer_can_be_stopped_and_nothing_is_sent(hl: Desk, blobs: FolderBlobs, tmp_path: Path) -> None:
    path = tmp_path / "stor.bin"
    path.write_bytes(b"xx")
    blobs.gate = asyncio.Event()
    begun = asyncio.Event()
    hl.chat.transfers.changed.connect(lambda room: begun.set())
    task = asyncio.create_task(hl.chat.send_file(ROOM, [path]))
    await begun.wait()
    transfer = hl.chat.transfers.of(ROOM)[0]
    hl.chat.transfers.cancel(transfer.key)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert hl.chat.transfers.of(ROOM) == []
    assert texts(hl) == []


async def test_a_fetch_that_failed_shows_its_error_until_it_is_tried_again(
    hl: Desk, blobs: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def halt(*_args: object) -> None:
        raise TooSlow

    path = tmp_path / "Komplettering å.pdf"
    path.write_bytes(b"%PDF-1")
    key = (await hl.chat.send_file(ROOM, [path]), 0)
    message = hl.chat.timeline(ROOM).message(0)
    with monkeypatch.context() as slow:
        slow.setattr(blobs, "fetch", halt)
        with pytest.raises(TooSlow):
            await hl.chat.fetch_file(ROOM, message, 0, tmp_path)
    assert hl.chat.transfers.failed(key) == "too-slow"
    assert hl.chat.transfers.of(ROOM) == []
    await hl.chat.fetch_file(ROOM, message, 0, tmp_path)
    assert hl.chat.transfers.failed(key) == ""


def test_a_reaction_to_nothing_is_kept_without_effect(hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [encode(ReactionSet(target=b"x" * 16, emoji="👍", on=True))], n=20, t=5)
    assert texts(hl) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0)])
def test_attack_of_two_messages_with_one_change_id_the_first_position_counts(hl: Desk, order: Sequence[int]) -> None:
    """Some members get the key of the first message late. They must not keep showing the second one."""
    shown = [encode(MessageSent(text=text)) for text in ("Det första å", "Något annat 🙂", "Efteråt")]
    ids = [ChangeId(b"i" * 16), ChangeId(b"i" * 16), ChangeId(b"e" * 16)]
    came = [
        OpenedChange(n=50 + at, t=50 + at, uid=EK, dev=DevId(EK), obj=CHANNEL, change_id=ids[at], payload=shown[at])
        for at in range(3)
    ]
    timeline = hl.chat.timeline(ROOM)
    for at in order:
        hl.store.receive(ReceivedSlice(room=ROOM, cursor=60, state=b"", changes=[came[at]]))
    assert texts(hl) == ["Det första å", "Efteråt"]
    assert [timeline.message(at).text for at in range(len(timeline))] == texts(hl)
    assert not hl.store.search.find_here("annat")
