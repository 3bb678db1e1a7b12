# SPDX-License-Identifier: EUPL-1.2
"""What a person has read on one device is read on their others, and what they mark as unread is unread there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from app.chat.records import Mention, MessageSent, encode
from app.chat.service import ChatService
from app.core.ids import ChangeId, DevId, ObjId, RoomId
from app.errors import Forbidden
from app.store import rooms as room_rows
from app.store.notice_store import NoticeFilter
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.chat.mentions import mentions
from tests.app.own.devices import NOVEMBER, Device, Server, rh
from tests.office import EK, HL, Folk, announce_chat

CASE, CHAT = RoomId(b"x" * 16), ObjId(b"y" * 16)
NAMED = MessageSent(text="@Handläggare å 🙂", mentions=(Mention(uid=HL, start=0, length=12),))


class AtHand(Device):
    """A device with a conversation of a case."""

    def chat_begins(self) -> None:
        with self.store.transaction() as conn:
            room_rows.name(conn, CASE, "Tillsyn", "case", 1)
            announce_chat(conn, CASE, CHAT, EK, NOVEMBER)
        self.chat_opens()

    def chat_opens(self) -> None:
        folk = Folk(HL, store=self.store)
        self.chat = ChatService(
            self.store.db, self.store.changes, self.store.objects, folk, folk, reads=self.reads, drafts=self.drafts
        )
        self.reads.start()

    def come(self, changes: Sequence[OpenedChange]) -> None:
        last = max(c.n for c in changes)
        positions = [(n, rh(n)) for n in range(1, last + 1)]
        self.store.receive(ReceivedSlice(room=CASE, cursor=last, state=b"", changes=changes, positions=positions))

    @property
    def line(self) -> tuple[int, int]:
        row = self.store.rooms_list.get(CASE)
        assert row is not None
        return row.unread, row.mentions

    def unseen(self) -> list[ChangeId]:
        """The messages of unseen notices, the earliest first."""
        wanted = NoticeFilter(unseen=True)
        return [ChangeId(row.ref) for row in reversed(self.store.notices.page(wanted, NOVEMBER, limit=50))]

    @property
    def first(self) -> int | None:
        return self.chat.timeline(CASE).rows.first_unread()


def messages(count: int, *, named: Sequence[int] = (), n: int = 10) -> list[OpenedChange]:
    return [
        OpenedChange(
            n=n + i,
            t=NOVEMBER + n + i,
            uid=EK,
            dev=DevId(EK),
            obj=CHAT,
            change_id=ChangeId((n + i).to_bytes(16, "big")),
            payload=encode(NAMED if i in named else MessageSent(text=f"Rad {i} å")),
        )
        for i in range(count)
    ]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[AtHand, AtHand, Server]]:
    home, office = AtHand(tmp_path / "home", 1), AtHand(tmp_path / "office", 2)
    for device in (home, office):
        device.chat_begins()
    yield home, office, Server()
    home.close()
    office.close()


Two = tuple[AtHand, AtHand, Server]


def share(server: Server, *devices: AtHand) -> None:
    """All devices write what waits, and read what the others wrote."""
    for device in devices:
        device.own.flush()
    for _ in range(2):
        server.meet(*devices)


def test_what_was_read_at_home_is_read_at_the_office(two: Two) -> None:
    home, office, server = two
    sent = messages(6, named=(1, 4))
    home.come(sent)
    office.come(sent)
    changed: list[RoomId] = []
    office.chat.changed.connect(changed.append)
    home.chat.mark_read(CASE, [each.change_id for each in sent[:3]])
    share(server, home, office)
    assert (office.line, office.first) == ((3, 1), 3)
    assert [mention.change_id for mention in mentions(office.store, office.chat, unread_only=True)] == [
        sent[4].change_id
    ]
    assert CASE in changed
    assert office.unseen() == [sent[4].change_id], "what was read at home rings no more at the office"


def test_messages_that_come_after_the_mark_are_read_at_once(two: Two) -> None:
    home, office, server = two
    sent = messages(6, named=(1, 5))
    home.come(sent)
    home.chat.mark_read(CASE, [each.change_id for each in sent[:4]])
    share(server, home, office)
    office.come(sent)
    assert (office.line, office.first) == ((2, 1), 4)
    assert [mention.change_id for mention in mentions(office.store, office.chat, unread_only=True)] == [
        sent[5].change_id
    ]
    assert office.unseen() == [sent[5].change_id]


def test_a_program_that_is_killed_when_the_room_came_to_the_mark_counts_no_more_than_is_unread(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, office, server = two
    sent = messages(6)
    sent[4] = replace(sent[4], uid=HL, dev=home.dev)
    home.come(sent[:5])
    office.come(sent[:4])
    home.chat.mark_read(CASE, [each.change_id for each in sent[:4]])
    share(server, home, office)
    assert office.line == (4, 0)
    with monkeypatch.context() as killed:
        killed.setattr(office.store.db, "after_commit", lambda act, **how: None)
        office.come(sent[4:5])
    office.restart(killed=True)
    office.chat_opens()
    assert office.line == (0, 0)
    office.come(sent[5:])
    assert office.line == (1, 0)


def test_a_mention_that_nobody_saw_stays_unread_everywhere(two: Two) -> None:
    home, office, server = two
    sent = messages(6, named=(1, 4))
    home.come(sent)
    office.come(sent)
    home.chat.mark_read(CASE, [sent[4].change_id])
    home.chat.mark_all_read(CASE)
    share(server, home, office)
    assert home.line == office.line == (1, 1)
    office.chat.mark_read(CASE, [sent[1].change_id])
    share(server, home, office)
    assert home.line == office.line == (0, 0)


def test_marked_as_unread_keeps_an_earlier_mention_unread_and_what_is_not_opened_yet(two: Two) -> None:
    home, office, server = two
    sent = messages(6, named=(1,))
    for device in (home, office):
        device.come(sent)
    home.chat.mark_all_read(CASE)
    home.chat.mark_unread(CASE, sent[4].change_id)
    share(server, home, office)
    assert home.line == office.line == (3, 1), "the mention, and two messages"
    with home.store.transaction() as conn:  # something at the third position waits for its key
        conn.execute("INSERT INTO waiting (room, n, item) VALUES (?, 12, x'00')", (CASE,))
    home.chat.mark_unread(CASE, sent[5].change_id)
    assert home.reads.mark(CHAT).position == 11


def test_marked_as_unread_keeps_an_earlier_mention_unread_where_nothing_was_read_before(two: Two) -> None:
    home, office, server = two
    sent = messages(6, named=(1,))
    for device in (home, office):
        device.come(sent)
    home.chat.mark_unread(CASE, sent[4].change_id)
    share(server, home, office)
    assert home.line == office.line == (3, 1), "the mention, and two messages"


def test_marked_as_unread_is_unread_on_all_devices_and_can_be_read_again(two: Two) -> None:
    home, office, server = two
    sent = messages(6)
    home.come(sent)
    office.come(sent)
    home.chat.mark_all_read(CASE)
    share(server, home, office)
    assert office.line == (0, 0)
    office.chat.mark_unread(CASE, sent[2].change_id)
    assert (office.line, office.first) == ((4, 0), 2)
    share(server, home, office)
    assert (home.line, home.first) == ((4, 0), 2)
    home.chat.mark_read(CASE, [each.change_id for each in sent])
    share(server, home, office)
    assert home.line == office.line == (0, 0)


def test_a_room_is_marked_as_unread_by_its_last_message_of_a_colleague(two: Two) -> None:
    home, office, server = two
    sent = messages(3)
    home.come(sent)
    home.chat.mark_all_read(CASE)
    home.chat.mark_room_unread(CASE)
    home.chat.mark_room_unread(CASE)
    assert (home.line, home.first) == ((1, 0), 2)
    office.come(sent)
    share(server, home, office)
    assert office.line == (1, 0)


def test_an_own_message_cannot_be_marked_as_unread(two: Two) -> None:
    home, _, _ = two
    mine = home.chat.send(CASE, "Eget å")
    with pytest.raises(Forbidden):
        home.chat.mark_unread(CASE, mine)


def test_nothing_counts_as_read_that_this_device_could_not_open(two: Two) -> None:
    """▲ The other devices would take what is there for read."""
    home, office, server = two
    sent = messages(6)
    home.come([*sent[:2], *sent[3:]])
    home.store.db.conn.execute("INSERT INTO waiting (room, n, item) VALUES (?, ?, ?)", (CASE, sent[2].n, b"sealed"))
    home.chat.mark_all_read(CASE)
    share(server, home, office)
    office.come(sent)
    assert (office.line, office.first) == ((4, 0), 2)


def test_attack_no_mark_of_a_stolen_device_reads_what_is_written_later(two: Two) -> None:
    """Every later message counted as read and did not ring, also once the device was revoked."""
    home, stolen, server = two
    sent = messages(6, named=(4,))
    home.come(sent[:3])
    home.chat.mark_all_read(CASE)
    share(server, home, stolen)
    for position in (sent[5].n, 2**52):
        stolen.own.put("reads", CHAT.hex(), [3, position, "ab" * 8])
        share(server, stolen, home)
    home.come(sent[3:])
    assert (home.line, home.first) == ((3, 1), 3)
    assert home.unseen() == [sent[4].change_id]


@pytest.mark.parametrize("killed", [True, False])
def test_marks_are_there_after_a_start(two: Two, killed: bool) -> None:
    home, office, server = two
    sent = messages(6)
    home.come(sent)
    home.chat.mark_all_read(CASE)
    home.chat.mark_unread(CASE, sent[3].change_id)
    home.restart(killed=killed)
    home.chat_opens()
    assert home.line == (3, 0)
    office.come(sent)
    share(server, home, office)
    assert office.line == (3, 0)
