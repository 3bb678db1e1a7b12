# SPDX-License-Identifier: EUPL-1.2
"""The invariants of the design (protocol.md §19) that must hold whatever the server does, as assertions on what the
desks have accepted. `Truth` is the honest model beside them: it follows each desk's own history."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from app.core.ids import RoomId, Uid
from sync.client.status import RoomState
from sync.trust.formats.items import ENTRY, ENVELOPE, Item
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.stream import AcceptedEnvelope
from tests.sync.byzantine.desk import Desk, Judged
from tests.sync.byzantine.ledger import Ledger
from tests.sync.byzantine.people import Person
from tests.sync.byzantine.thief import Thief

ALARMS = (RoomState.FORK, RoomState.ROLLBACK, RoomState.WITHHELD, RoomState.RESTORED, RoomState.UPDATE_NEEDED)


@dataclass
class View:
    """One desk's copy of a room, and the model's result for it."""

    desk: Desk
    ledger: Ledger
    chain: list[Judged] = field(default_factory=list)
    fresh: list[Judged] = field(default_factory=list)
    """Items accepted since `check_authors` last looked."""
    headers: dict[int, Header] = field(default_factory=dict)
    """The header of each envelope that counts."""
    ops: dict[bytes, int] = field(default_factory=dict)
    """id → position of those envelopes."""


class Truth:
    """`desks`: all desks that ever were, honest or not; `thief` has the secrets of those that went over to the
    server."""

    def __init__(self, desks: list[Desk], thief: Thief) -> None:
        self._desks, self._thief = desks, thief
        self._views: dict[tuple[bytes, RoomId], View] = {}
        self._people: dict[tuple[bytes, Uid], Person] = {}
        self._judged: dict[bytes, int] = {}
        self._kept: list[View] = []
        self._meant: set[bytes] = set()
        """kc of every epoch that was rightly known to a person who went over later."""
        self._stood: set[bytes] = set()
        """kc of every epoch that an honest desk ever took for in force."""

    @property
    def traitors(self) -> set[bytes]:
        return {t.account.dev for t in self._thief.traitors}

    def forget(self, desk: Desk) -> None:
        """The desk is set back to an older copy of its disk: what it has accepted since is no longer its own."""
        self.remember(desk)
        self._views = {key: v for key, v in self._views.items() if v.desk is not desk}
        self._people = {key: p for key, p in self._people.items() if key[0] != desk.dev}

    def remember(self, desk: Desk) -> None:
        """What this desk has accepted counts also after the desk is gone."""
        for _, view in self.views([desk]):
            self._kept.append(view)

    def views(self, honest: Sequence[Desk]) -> Iterator[tuple[RoomId, View]]:
        """Every honest desk's rooms, with the model brought up to date."""
        for desk in honest:
            for room in desk.rooms():
                view = self._views.get((desk.dev, room))
                if view is None:
                    view = self._views[desk.dev, room] = View(desk, Ledger(room, self._person(desk)))
                chain = desk.chain(room)
                fresh, view.chain = chain[len(view.chain) :], list(chain)
                view.ledger.read(judged.item for judged in fresh)
                view.fresh += fresh
                yield room, view

    def _person(self, desk: Desk) -> Callable[[Uid], Person]:
        def person(uid: Uid) -> Person:
            found = self._people.setdefault((desk.dev, uid), Person())
            found.read(desk.store.user_log(uid))
            return found

        return person

    # -- 1 ----------------------------------------------------------------------------------------------------------

    def check_authors(self, honest: Sequence[Desk]) -> None:
        """§19.1: no client applies an op whose author was not authorised at the op's position.

        Of every position that an honest desk has accepted: it counts exactly if the model, which judges the desk's own
        history from its first position on, says that its author's role, device and epoch permit it there. What names an
        honest device was signed by that device, byte for byte, for that room. And whatever is applied is what the op
        at its position says: its author and object, and, of an honest device, its own words.

        "At the op's position" is in the history of that client. A removed member and a server together can place an op
        before the removal for a client who has not been shown the removal: see invariant 3 for what that costs them.
        """
        for room, view in self.views(honest):
            for judged in view.fresh:
                self._check_item(view, room, judged.item, void=judged.accepted.void)
                accepted = judged.accepted
                if isinstance(accepted, AcceptedEnvelope) and accepted.void is None:
                    view.headers[accepted.n] = accepted.hdr
                    view.ops[accepted.ident] = accepted.n
            if view.fresh:
                self._check_words(view, room)
            view.fresh = []

    def _check_item(self, view: View, room: RoomId, item: Item, void: str | None) -> None:
        counts = view.ledger.counts[item.n]
        assert (void is None) == counts, f"position {item.n} of {view.desk.name}: {void}; the model: {counts}"
        dev = _device(item)
        author = next((d for d in self._desks if d.dev == dev), None)
        if void is None and dev not in self.traitors:
            assert author is not None, f"position {item.n}: a device that nobody has"
            assert (item.kind, item.body) in author.signed, f"position {item.n}: {author.name} never signed that"

    def _check_words(self, view: View, room: RoomId) -> None:
        by_dev: dict[bytes, Desk] = {d.dev: d for d in self._desks}
        for n, author, obj, change, data in view.desk.placed(room):
            hdr = view.headers.get(n)
            assert hdr is not None, f"position {n} of {view.desk.name} is applied and does not count"
            assert (hdr.uid, hdr.obj) == (author, obj)
            if hdr.dev not in self.traitors:
                assert by_dev[hdr.dev].words.get((room, obj, change)) == data, f"position {n}: other words"

    # -- 2 ----------------------------------------------------------------------------------------------------------

    def check_agreement(self, honest: Sequence[Desk]) -> None:
        """§19.2: two clients that apply one common later op agree on all positions its author had seen.

        For every two honest desks and every op that counts with both: up to the newest position that its author had
        verified they have the same running hash, hence the same items in the same order, and give each the same
        verdict; and where both have applied something there, it is the same.
        """
        by_room: dict[RoomId, list[View]] = {}
        for room, view in self.views(honest):
            by_room.setdefault(room, []).append(view)
        for room, views in by_room.items():
            for i, a in enumerate(views):
                for b in views[i + 1 :]:
                    common = a.ops.keys() & b.ops.keys()
                    n = max((a.headers[a.ops[ident]].seen[0] for ident in common), default=0)
                    self._check_same(room, a, b, n)

    def _check_same(self, room: RoomId, a: View, b: View, n: int) -> None:
        names = f"{a.desk.name} and {b.desk.name}, up to {n}"
        assert a.desk.rh(room, n) == b.desk.rh(room, n), f"{names}: two histories"
        verdicts = [[view.ledger.counts[at] for at in range(1, n + 1)] for view in (a, b)]
        assert verdicts[0] == verdicts[1], f"{names}: two verdicts"
        applied = [{(at, c): d for at, _, _, c, d in v.desk.placed(room) if at <= n} for v in (a, b)]
        assert all(applied[0][key] == applied[1][key] for key in applied[0].keys() & applied[1].keys()), (
            f"{names}: two texts"
        )

    # -- 3 ----------------------------------------------------------------------------------------------------------

    def check_alarms(self, honest: Sequence[Desk]) -> None:
        """§19.3: a hidden item becomes an alarm once an item that saw it is delivered.

        Delivered means: shown to a desk and judged. If the desk accepted the item, then its own history is, up to the
        position that the item's honest author had verified, the very history that the author had (the author's desk
        gives it, not the item): nothing was hidden. If the desk refused it, the room has stopped and shows that, before
        any further item is judged in it; only a line that was cut in that moment delays this. No program fails because
        of what it receives either, which would be no alarm.
        """
        for desk in honest:
            assert not desk.faults, f"{desk.name} failed by a fault of its own"
            begin = self._judged.get(desk.dev, 0)
            for at in range(begin, len(desk.delivered)):
                shown = desk.delivered[at]
                if shown.refused is None:
                    for item in shown.items:
                        self._check_seen(desk, shown.room, item)
                elif shown.line_open():
                    assert shown.alarm in ALARMS, f"{desk.name} refused {shown.refused} and goes on: {shown.alarm}"
            self._judged[desk.dev] = len(desk.delivered)

    def _check_seen(self, desk: Desk, room: RoomId, item: Item) -> None:
        author = next((d for d in self._desks if (item.kind, item.body) in d.signed), None)
        if author is None or author.dev in self.traitors:
            return
        n, rh = author.had[item.body]
        mine = desk.rh(room, n)
        assert mine is None or mine == rh, f"{desk.name} took position {item.n} in, but not what {author.name} had seen"

    # -- 4 ----------------------------------------------------------------------------------------------------------

    def check_secrets(self, honest: Sequence[Desk]) -> None:
        """§19.4: a removed member or revoked device derives no later key.

        All who went over, together with everything that the server ever received, open what they can (thief.py). For no
        epoch that an honest desk made and an honest desk took for in force are K or A among it, except for epochs that
        were meant for one of them. Meant are, in any history that an honest desk has accepted, the epochs up to the
        last entry after which that person is a member and the log pinned there has not revoked the device; the model
        computes this. So a revocation that has not been stated in a room yet takes effect where it is stated, and not
        before.
        """
        self._thief.look()
        for view in [*(view for _, view in self.views(honest)), *self._kept]:
            self._note_meant(view)
            self._stood |= set(view.ledger.epochs.values())
        for desk in self._desks:
            if desk.dev not in self.traitors:
                for kc, made in desk.drafted.items():
                    out = kc in self._stood - self._meant and self._thief.secrets & set(made)
                    assert not out, f"a key that {desk.name} made is out"

    def _note_meant(self, view: View) -> None:
        ends = [n for n, (members, pins) in view.ledger.after.items() if self._one_of_them(members, pins)]
        self._meant |= {kc for n, kc in view.ledger.epochs.items() if n <= max(ends, default=0)}

    def _one_of_them(self, members: frozenset[Uid], pins: dict[Uid, int]) -> bool:
        return any(
            t.uid in members and not self._thief.person(t.uid).revoked.get(t.account.dev, 1 << 20) <= pins[t.uid]
            for t in self._thief.traitors
        )

    # -- 7 ----------------------------------------------------------------------------------------------------------

    def check_plaintext(self, dump: bytes) -> None:
        """§19.7: a server dump plus all public data shows no plaintext.

        `dump` is every byte that any client ever sent, which is all that a server can have. No text that was written
        is in it, and no secret: neither epochs' keys nor those of persons and devices. Sizes, times, names in the
        directory and who is in which room are there (protocol.md §17).
        """
        for desk in self._desks:
            for text in desk.words.values():
                assert text not in dump, "a text in the clear"
            for secret in desk.secrets():
                assert secret not in dump, "a secret in the clear"


def _device(item: Item) -> bytes:
    if item.kind == ENTRY:
        return RoomEntry.decode(item.body, lenient=True).dev
    assert item.kind == ENVELOPE
    return Header.decode(read_body(item.body)[0]).dev
