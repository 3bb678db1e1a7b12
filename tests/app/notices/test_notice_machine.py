# SPDX-License-Identifier: EUPL-1.2
"""Whatever happens to a store, each message that names the person makes one notice, which rings once.

The machine receives messages in and out of order, writes answers, marks, makes rows again, and ends the program at any
time: also after something was stored and before it rang.
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.chat import KIND as CHAT
from app.chat.records import Mention, MessageDeleted, MessageSent, encode
from app.core import clock
from app.core.ids import ChangeId, DevId
from app.notices.service import NoticeFilter, NoticeId, Notices, NoticeState
from app.rooms.projection import KIND as ROOM_KIND
from app.store.notice_rows import id_of
from app.store.store import Store
from app.tasks import KIND as BOARD
from sync.client.ports import OpenedChange
from sync.client.received import OpenedContent, ReceivedSlice
from tests.office import CHANNEL, EK, HL, KEY, ROOM, desk, notices_of

T = 1_795_500_000_000
KINDS = {each.id: each for each in (ROOM_KIND, CHAT, BOARD)}


class NoticeMachine(RuleBasedStateMachine):
    """The store of one person, in which a colleague names them at unique positions."""

    def __init__(self) -> None:
        super().__init__()
        self.end_clock = clock.set_clock(lambda: T)
        self.folder = Path(tempfile.mkdtemp())
        made = desk(self.folder, HL)
        self.store: Store = made.store
        self.notices: Notices = made.notices
        self.cursor = 10
        self.late: list[int] = []
        self.here: set[int] = set()
        self.deleted: set[int] = set()
        self.answered_at = 0
        self.states: dict[NoticeId, NoticeState] = {}
        self.rung: list[NoticeId] = []
        self.silenced: set[NoticeId] = set()
        """Those that the person dealt with, or that were deleted, before they rang."""

    def teardown(self) -> None:
        self.store.close()
        self.end_clock()
        shutil.rmtree(self.folder)

    @staticmethod
    def change_id(n: int) -> ChangeId:
        return ChangeId(n.to_bytes(16, "big"))

    def ident(self, n: int) -> NoticeId:
        return id_of("mention", ROOM, CHANNEL, self.change_id(n))

    def change(self, n: int, *, named: bool, own: bool = False) -> OpenedChange:
        mentions = (Mention(uid=HL, start=0, length=12),) if named else ()
        payload = encode(MessageSent(text=f"@Handläggare å {n} 🙂", mentions=mentions))
        uid = HL if own else EK
        return OpenedChange(
            n=n, t=T - 1000 + n, uid=uid, dev=DevId(uid), obj=CHANNEL, change_id=self.change_id(n), payload=payload
        )

    def is_open(self, n: int) -> bool:
        done = self.states.get(self.ident(n)) is NoticeState.DONE
        return n in self.here and n not in self.deleted and n > self.answered_at and not done

    def silence(self, ns: "set[int] | list[int]") -> None:
        self.silenced |= {self.ident(n) for n in ns} - set(self.rung)

    @rule(count=st.integers(1, 4), held=st.booleans())
    def receive(self, count: int, held: bool) -> None:
        ns = [self.cursor + i for i in range(1, count + 1)]
        self.cursor += count
        now = ns[1:] if held else ns  # the first one waits for its key
        self.late += ns[:1] if held else []
        changes = [self.change(n, named=True) for n in now]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=self.cursor, state=b"state", changes=changes))
        self.here |= set(now)

    @rule(which=st.integers(0, 100))
    def receive_late(self, which: int) -> None:
        if self.late:
            n = self.late.pop(which % len(self.late))
            self.store.receive(OpenedContent(room=ROOM, changes=[self.change(n, named=True)]))
            self.here.add(n)
            self.silence([n] if n < self.answered_at else [])

    @rule()
    def receive_again(self) -> None:
        changes = [self.change(n, named=True) for n in sorted(self.here)]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=self.cursor, state=b"state", changes=changes))

    @rule()
    def answer_on_another_device(self) -> None:
        self.cursor += 1
        self.answered_at = self.cursor
        self.silence(self.here)
        changes = [self.change(self.cursor, named=False, own=True)]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=self.cursor, state=b"state", changes=changes))

    @rule(which=st.integers(0, 100))
    def delete(self, which: int) -> None:
        if self.here:
            n = sorted(self.here)[which % len(self.here)]
            self.cursor += 1
            self.deleted.add(n)
            self.silence([n])
            payload = encode(MessageDeleted(target=self.change_id(n)))
            change = OpenedChange(
                n=self.cursor,
                t=T,
                uid=EK,
                dev=DevId(EK),
                obj=CHANNEL,
                change_id=self.change_id(self.cursor),
                payload=payload,
            )
            self.store.receive(ReceivedSlice(room=ROOM, cursor=self.cursor, state=b"state", changes=[change]))

    @rule(which=st.integers(0, 100), state=st.sampled_from([NoticeState.SEEN, NoticeState.DONE]), here=st.booleans())
    def mark(self, which: int, state: NoticeState, here: bool) -> None:
        rows = self.notices.list()
        if rows:
            row = rows[which % len(rows)]
            if here:
                (self.notices.mark_seen if state is NoticeState.SEEN else self.notices.mark_done)([row.id])
                done = self.states.get(row.id) is NoticeState.DONE
                self.states[row.id] = NoticeState.DONE if done else state
            else:
                self.notices.apply_states({row.id: (state, None)})
                self.states[row.id] = state
            assert row.n is not None
            self.silence([row.n])

    @rule()
    def ring(self) -> None:
        while found := self.store.notices.claim():
            self.rung += [row.id for row in found]

    @rule()
    def make_rows_again(self) -> None:
        with self.store.db.transaction() as conn:
            conn.execute("UPDATE kinds SET version = 0")
        self.restart()

    @rule()
    def read_from_the_start(self) -> None:
        with self.store.db.transaction():
            self.store._projecting.from_start(CHANNEL)

    @rule()
    def restart(self) -> None:
        self.notices.close()
        self.store.close()
        self.store = Store.open(self.folder / "office.db", KEY, KINDS, self.folder / "blobs")
        self.notices = notices_of(self.store)

    @invariant()
    def each_is_there_once_with_its_state(self) -> None:
        shown = {row.n: row.state for row in self.notices.list(limit=1000)}
        expected = {n: self.states.get(self.ident(n), NoticeState.NEW) for n in self.here - self.deleted}
        assert shown == expected
        assert {row.n for row in self.notices.list(NoticeFilter(open=True), limit=1000)} == {
            n for n in self.here if self.is_open(n)
        }

    @invariant()
    def each_rings_once_or_is_still_to_ring(self) -> None:
        assert len(set(self.rung)) == len(self.rung)
        to_ring = {ident for (ident,) in self.store.db.rows("SELECT id FROM notices WHERE ring")}
        assert to_ring == {self.ident(n) for n in self.here} - set(self.rung) - self.silenced


TestNoticeMachine = NoticeMachine.TestCase
TestNoticeMachine.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
