# SPDX-License-Identifier: EUPL-1.2
"""People: the own account, colleagues from the directory, and how surely their keys are theirs."""

import asyncio
import logging
from collections.abc import Sequence

from app.core.ids import Uid
from app.core.signal import Signal
from app.errors import NotFound
from app.people import codes
from app.people.codes import Verdict
from app.people.notices import KeyNotice, KeyWatch
from app.people.person import Person, Verified, colour_of, initials, shown
from app.store.people import People
from app.store.rows import PersonRow
from sync.client.engine import Engine
from sync.errors import SyncError

log = logging.getLogger("sync")

_NO_NAME = "…"


class PeopleService:
    """People as the interface shows them. Unknown people are looked up when the server is connected."""

    def __init__(self, people: People, engine: Engine, notices: KeyWatch) -> None:
        self.changed: Signal[()] = Signal()
        self.marked: Signal[Uid, bool] = Signal()
        """(person, on): on this device, the user marked a person as verified in person, or took it back."""
        self._people = people
        self._engine = engine
        self._notices = notices
        notices.unmark = lambda uid: self.mark_verified(uid, False)
        self._known: dict[Uid, Person] = {}
        self._wanted: set[Uid] = set()
        self._unanswered: set[Uid] = set()
        """People for whom the directory was asked and returned no record."""
        self.asked = asyncio.Event()
        """Set when a person must be looked up for the first time."""
        self._ends = [people.changed.connect(self._on_changed), notices.changed.connect(self._on_notices)]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    @property
    def me(self) -> Person:
        """This account's person."""
        return self.person(self._engine.uid)

    def person(self, uid: Uid) -> Person:
        """The person with this id. Until the agency's record of them is received, their name is "…": they are looked up
        later."""
        found = self._known.get(uid)
        if found is None:
            row = self._people.get(uid)
            if row is None or not row.name:
                if uid not in self._wanted | self._unanswered:
                    self.asked.set()
                    self._wanted.add(uid)
                return _nameless(uid, is_me=uid == self._engine.uid, is_sought=uid not in self._unanswered)
            found = self._known[uid] = self._person(row)
        return found

    async def search(self, query: str) -> list[Person]:
        """Colleagues in the agency's directory whose name, title and unit have every word of `query`, also as a part of
        a word, in the server's order. Of the first 50, without this person and accounts that have ended. Raises
        SyncErrors, such as Unreachable while offline."""
        found = [uid for uid in await self._engine.directory(query) if uid != self._engine.uid]
        return [self.person(uid) for uid in found if not self._engine.is_over(uid)]

    async def duplicate_accounts(self, uid: Uid) -> list[Person]:
        """▲ Other accounts that have the same staff record (name, title, unit) as `uid` and are alive, without this
        person's own: the agency should have ended one of them, or somebody has made one in another person's name.
        Raises SyncErrors, such as Unreachable while offline."""
        known, row = self.person(uid), self._people.get(uid)
        # the name as the agency wrote it, since the directory searches for that
        query = row.name if row is not None else known.name
        same = [p for p in await self.search(query) if (p.name, p.title, p.unit) == _record(known)]
        return [p for p in same if p.uid != uid]

    def safety_number(self, uid: Uid) -> str:
        """60 digits, without spaces, to compare with the person: both see the same. NotFound while their keys, or this
        person's own, are not known."""
        number = self._engine.safety_number(uid)
        if number is None:
            raise NotFound
        return number

    @property
    def my_code(self) -> str:
        """The text of the QR code that a colleague's device reads to compare keys with this person. NotFound while this
        person's own log is not here."""
        genesis = self._engine.genesis(self._engine.uid)
        if genesis is None:
            raise NotFound
        return codes.write(genesis)

    def read_code(self, uid: Uid, texts: Sequence[str]) -> Verdict:
        """What QR codes that were read from the screen of the person `uid` say about their keys. `texts`: the codes'
        texts. If the keys are the same as here, marks the person as verified in person. NotFound while their keys are
        not known, and for the same keys of a person who was reset."""
        genesis = self._engine.genesis(uid)
        if genesis is None:
            raise NotFound
        verdict = codes.compare(texts, uid, genesis)
        if verdict is Verdict.SAME:
            self.mark_verified(uid, True)
        return verdict

    def mark_verified(self, uid: Uid, verified: bool) -> None:
        """Marks that the safety numbers were compared with this person (`verified` True), or takes the mark back. Both
        remove the notices about their devices from the store. A person without a staff record here gets no mark.
        NotFound if a person who was reset is to be marked."""
        if verified and self._engine.is_over(uid):
            raise NotFound
        self._people.set_verified(uid, verified)
        self.marked.emit(uid, verified)

    async def learn(self) -> None:
        """Asks the server for the people whose names were wanted and are not known here. If that fails, as while
        offline, it logs the SyncError, and they stay wanted. ▲ A person who is missing in the answer is shown as
        unknown from then on. Otherwise a server that never answers could keep a stranger looking as if their name were
        still loading."""
        wanted = list(self._wanted)
        for at in range(0, len(wanted), 50):
            try:
                await self._engine.learn(wanted[at : at + 50])
            except SyncError as e:
                log.info("people not learnt: %s", e.code)
                return
            self._note_answer(wanted[at : at + 50])
            await asyncio.sleep(0)
        if wanted:
            self._known.clear()
            self.changed.emit()

    def _note_answer(self, asked: Sequence[Uid]) -> None:
        """Notes that the directory answered for these people: they are no longer wanted, and those without a name in
        the store are shown as unknown."""
        self._wanted.difference_update(asked)
        self._unanswered.difference_update(asked)
        rows = {uid: self._people.get(uid) for uid in asked}
        self._unanswered.update(uid for uid, row in rows.items() if row is None or not row.name)

    def ask_again(self) -> None:
        """Call it on a new connection: looks up once more the people whom the directory did not have. ▲ Meanwhile they
        stay unknown, so that a server that drops the connection cannot take a warning off a room."""
        self._wanted |= self._unanswered
        if self._wanted:
            self.asked.set()

    # -- what happened to keys ----------------------------------------------------------------------------------------

    def notices(self) -> list[KeyNotice]:
        """The open notices about people's keys, warnings first (app/people/notices.py)."""
        return self._notices.open()

    def dismiss(self, notice: KeyNotice) -> None:
        """Closes a notice: the person has seen it, or dealt with it."""
        self._notices.dismiss(notice)

    def _on_notices(self) -> None:
        self._known.clear()
        self.changed.emit()

    def _on_changed(self, uid: Uid) -> None:
        self._known.pop(uid, None)
        self.changed.emit()

    def _person(self, row: PersonRow) -> Person:
        sure = Verified.IN_PERSON if row.verified else Verified.AGENCY
        record = {"name": row.name, "title": row.title, "unit": row.unit}
        name = shown(record, "name") or _NO_NAME
        return Person(
            uid=row.uid,
            name=name,
            title=shown(record, "title"),
            unit=shown(record, "unit"),
            initials=initials(name),
            colour=colour_of(row.uid),
            verified=Verified.NONE if row.uid in self._notices.resets() else sure,
            is_me=row.uid == self._engine.uid,
            warning=self._notices.warning(row.uid),
        )


def _record(person: Person) -> tuple[str, str, str]:
    return person.name, person.title, person.unit


def _nameless(uid: Uid, *, is_me: bool, is_sought: bool) -> Person:
    return Person(
        uid=uid,
        name=_NO_NAME,
        title="",
        unit="",
        initials="" if is_sought else "?",
        colour=colour_of(uid),
        verified=Verified.NONE,
        is_me=is_me,
        is_sought=is_sought,
    )
