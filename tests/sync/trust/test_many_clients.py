# SPDX-License-Identifier: EUPL-1.2
"""Many members, any order of honest actions, any server: what must always hold (design, invariants 1-5).

First an honest server: placing and accepting agree, a refusal changes nothing, and only members receive keys. Then a
lying server, which forks, hides, repeats, reorders and sets back: every client stops with an alarm, or agrees with the
others on everything that the author of a common later item had seen.
"""

import os
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.crypto.kdf import H
from sync.errors import Reject
from sync.ids import ChangeId, ObjId, Uid
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role, item_id
from sync.trust.keys.epochs import in_order, open_seal, walk_back
from sync.trust.person.author import puk_key
from sync.trust.room import envelope
from sync.trust.room.entry_drafts import Draft, Drafter
from sync.trust.room.envelope import EncryptedBatch, ObjectKeys, PlainOp, pack, root_share
from sync.trust.room.stream import AcceptedEnvelope, RoomStream
from tests.sync.trust.people import Office, Room, Someone

PEOPLE = 4
NAMES = ("Enhetschef", "Handläggare", "Registrator", "Jurist")
Action = tuple[int, int, int, int]
"""(who, what, on whom or what, how)."""
actions = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, 15), st.integers(0, PEOPLE - 1), st.integers(1, 4)),
    max_size=24,
)


@dataclass
class Life:
    """A room of four people under an honest server."""

    office: Office = field(default_factory=Office)
    people: list[Someone] = field(default_factory=list)
    seeds: dict[Uid, dict[int, bytes]] = field(default_factory=dict)
    objects: list[ObjId] = field(default_factory=list)
    room: Room = field(init=False)

    def __post_init__(self) -> None:
        self.people = [self.office.hire(name) for name in NAMES]
        self.seeds = {p.uid: {1: p.puk_seed} for p in self.people}
        head, clerk, guest, lawyer = self.people
        self.room = Room.founded(self.office, head)
        for who, role, history in ((clerk, Role.ADMIN, True), (guest, Role.WRITER, False), (lawyer, Role.READER, True)):
            self.did(head, self.room.drafter(head).add(who.uid, role, history=history))

    def live(self, story: list[Action]) -> None:
        """Tries every action; one that the server refuses must leave no trace."""
        for who, what, target, how in story:
            before, bytes_before = self.room.stream.n, self.room.stream.to_bytes()
            try:
                members = [p for p in self.people if p.uid in self.room.stream.members]
                by = self.people[who] if (what, how) == (15, 4) else members[who % len(members)]
                self.do(by, what, self.people[target], how)
            except Reject:
                assert self.room.stream.n == before
                assert self.room.stream.to_bytes() == bytes_before
            self.check_keys()

    def do(self, by: Someone, what: int, to: Someone, how: int) -> None:
        if by.uid not in self.room.stream.members:
            drafter = Drafter(self.room.stream, by.author, self.office.book, self.room.ring(by), self.room.t)
            self.did(by, drafter.cannot_open(1))
            return
        match what:
            case 0 | 1 | 2:
                self.push(by, how)
            case 3:
                self.push(by, 1, new=True)
            case _:
                self.did(by, self.draft(by, what, to, how))

    def draft(self, by: Someone, what: int, to: Someone, how: int) -> Draft:
        """The entry of an action."""
        d, s = self.room.drafter(by), self.room.stream
        match what:
            case 4 | 5:
                return d.add(to.uid, Role(how), history=what == 4)
            case 6:
                return d.remove(to.uid) if to.uid in s.members and to is not by else d.rotate()
            case 7:
                return d.leave()
            case 8 | 9:
                return d.set_role(to.uid, Role(how))
            case 10 | 11:
                return d.rotate()
            case 12:
                to.rotate_puk()
                self.seeds[to.uid][len(to.log.puks)] = to.puk_seed
                return d.pin([to.uid])
            case 13:
                return d.propose("hist", to.uid)
            case 14:
                proposals = s.state.proposals
                approved = [(i, p) for i, p in proposals.items() if p.approved and p.subject in s.members]
                if approved:
                    return d.hist(Uid(approved[0][1].subject), approved[0][0])
                return d.approve(next(iter(proposals))) if proposals else d.cannot_open(how)
            case _:
                return d.destroy(self.objects[0] if self.objects else b"?" * 16, H(b"rule"), H(b"decision"))

    def push(self, by: Someone, count: int, *, new: bool = False) -> None:
        s, own = self.room.stream, self.room.id
        k = self.room.ring(by).k(s.epoch) or bytes(32)
        obj, share, share_c = ObjId(own), root_share(own), b""
        if new:
            obj, share = ObjId(os.urandom(16)), os.urandom(32)
            share_c = envelope.share_commitment(own, obj, share)
        key = ObjectKeys(own).key(k, s.epoch, obj, share)
        ops = [PlainOp(obj, key, share_c, pack([(ChangeId(os.urandom(16)), "å 🙂".encode())])) for _ in range(count)]
        head = s.device_heads.get(by.author.dev)
        first = (head.dev_seq if head else 0) + 1
        prev = s.next_prev(by.uid, by.author.dev)
        self.room.push(envelope.encrypt_batch(by.author, own, s.epoch, (s.n, s.rh), first, prev, ops))
        if new:
            self.objects.append(obj)

    def did(self, by: Someone, draft: Draft) -> None:
        """Places a draft; every recipient opens their seal."""
        before = set(self.room.stream.members)
        self.room.append(by, draft)
        s = self.room.stream
        epoch = s.epochs[s.epoch]
        if draft.secrets is not None:
            recipients = in_order(s.recipients(self.office.book))
            for to, sealed in zip(recipients, draft.seals, strict=True):
                self.open(to.uid, to.puk_gen, sealed)
        elif draft.seals:
            (newcomer,) = set(s.members) - before
            self.open(newcomer, s.recipients(self.office.book)[-1].puk_gen, draft.seals[0])
        assert epoch.e == s.epoch

    def open(self, uid: Uid, gen: int, sealed: bytes) -> None:
        s = self.room.stream
        someone = next(p for p in self.people if p.uid == uid)
        epoch, ring = s.epochs[s.epoch], self.room.ring(someone)
        ring.add(epoch.e, *open_seal(s.room, epoch, uid, gen, puk_key(self.seeds[uid][gen]), sealed))
        at: int | None = epoch.e
        while at is not None and ring.a(at) is not None:
            walk_back(s.room, s.epochs[at], s.epochs, ring)
            at = s.epochs[at].base

    def check_keys(self) -> None:
        """Every member opens the epoch in force, and unless the room owes a rotation no other person does; the history
        reaches back to its beginning."""
        s = self.room.stream
        begun = max(e.e for e in s.epochs.values() if e.has_archive and e.base is None)
        for someone in self.people:
            ring, member = self.room.ring(someone), s.members.get(someone.uid)
            assert (ring.k(s.epoch) is not None) == (member is not None) or s.rotation_owed
            if member is None:
                continue
            assert ring.k(s.epoch) is not None
            if member.history and s.epochs[s.epoch].has_archive:
                assert all(ring.k(e) is not None for e in range(begun, s.epoch + 1))
            if not member.history:
                assert all(ring.a(e) is None for e, made in s.epochs.items() if made.n >= member.since_n)


def check_clients(life: Life, cuts: list[int], rests: list[int]) -> None:
    """Clients that accept the items in other slices, or stop and continue from their bytes, have the same state."""
    room = life.room
    ends = [i + 1 for i, item in enumerate(room.items) if item.sig]
    wanted = room.stream.to_bytes()
    whole = RoomStream(room.id)
    assert all(a.void is None for a in whole.accept(room.items, life.office.book))
    assert whole.to_bytes() == wanted
    sliced, at = RoomStream(room.id), 0
    for cut in sorted({ends[c % len(ends)] for c in cuts} | {ends[-1]}):
        sliced.accept(room.items[at:cut], life.office.book, room.rh_at)
        at = cut
        if cut in rests or cut % 3 == 0:
            sliced = RoomStream.from_bytes(sliced.to_bytes())
    assert sliced.to_bytes() == wanted
    assert RoomStream.from_bytes(wanted).state == room.stream.state


@pytest.mark.slow
@given(actions, st.lists(st.integers(0, 200), max_size=6), st.lists(st.integers(0, 200), max_size=4))
@settings(max_examples=25)
def test_whatever_honest_members_do_all_clients_and_the_server_agree(
    story: list[Action], cuts: list[int], rests: list[int]
) -> None:
    life = Life()
    life.live(story)
    check_clients(life, cuts, rests)


@pytest.mark.slow
@given(actions, st.lists(st.integers(0, 200), max_size=6), st.lists(st.integers(0, 200), max_size=4))
@settings(max_examples=400)
def test_whatever_many_honest_members_do_all_clients_and_the_server_agree(
    story: list[Action], cuts: list[int], rests: list[int]
) -> None:
    life = Life()
    life.live(story)
    check_clients(life, cuts, rests)


# -- a server that lies ------------------------------------------------------------------------------------------


@dataclass
class Client:
    """A device that keeps what it was shown. `alarm` is the code with which it stopped."""

    who: Someone
    stream: RoomStream
    rhs: list[bytes]
    dev_seq: int = 0
    unsent: EncryptedBatch | None = None
    alarm: str | None = None
    applied: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Id of each applied op: its position, and the newest position its author had seen."""


class Liar:
    """A server with several histories of one room, which shows each client any of them."""

    def __init__(self, clients: int) -> None:
        self.office = Office()
        people = [self.office.hire(NAMES[i]) for i in range(clients)]
        room = Room.founded(self.office, people[0])
        for other in people[1:]:
            room.join(people[0], other)
        self.branches = [room]
        self.clients = []
        for who in people:
            stream = RoomStream(room.id)
            stream.accept(room.items, self.office.book)
            self.clients.append(Client(who, stream, list(room.rhs)))

    def fork(self, of: int, at: int) -> None:
        """Another history that shares the first positions of a branch."""
        old = self.branches[of % len(self.branches)]
        ends = [i + 1 for i, item in enumerate(old.items) if item.sig and i + 1 >= PEOPLE - 1 + 1]
        cut = ends[at % len(ends)]
        stream = RoomStream(old.id)
        stream.accept(old.items[:cut], self.office.book)
        self.branches.append(Room(self.office, stream, old.items[:cut], old.rhs[: cut + 1], t=old.t + 1))

    def write(self, c: Client, branch: int, count: int) -> None:
        """A client writes a batch; it goes to a history that takes it, encrypted once and sent again unchanged."""
        room = self.branches[branch % len(self.branches)]
        if c.alarm is not None:
            return
        if c.unsent is None:
            s, own = c.stream, room.id
            k = room.ring(c.who).k(s.epoch) or bytes(32)
            key = ObjectKeys(own).key(k, s.epoch, own, root_share(own))
            ops = [PlainOp(ObjId(own), key, b"", pack([(ChangeId(os.urandom(16)), b"x")])) for _ in range(count)]
            head = s.device_heads.get(c.who.author.dev)
            first = max(c.dev_seq, head.dev_seq if head else 0) + 1
            c.unsent = envelope.encrypt_batch(
                c.who.author, own, s.epoch, (s.n, s.rh), first, s.next_prev(c.who.uid, c.who.author.dev), ops
            )
            c.dev_seq = first + count - 1
        try:
            room.push(c.unsent)
        except Reject as e:
            if e.code == "stale":
                c.unsent = None  # encrypted again next time, under a new dev_seq

    def rotate(self, c: Client, branch: int) -> None:
        room = self.branches[branch % len(self.branches)]
        if c.alarm is None and c.stream.rh == room.stream.rh:
            room.append(c.who, Drafter(c.stream, c.who.author, self.office.book, room.ring(c.who), room.t).rotate())

    def show(self, c: Client, branch: int, lie: int, at: int, until: int) -> None:
        """Shows a client the next items of a history, perhaps changed."""
        if c.alarm is not None:
            return
        room = self.branches[branch % len(self.branches)]
        items = _whole(room.items[c.stream.n : c.stream.n + until])
        shown = _lie(items, room.items, lie, at, c.stream.n)
        before = c.stream.to_bytes()
        try:
            accepted = c.stream.accept(shown, self.office.book, lambda n: c.rhs[n] if n < len(c.rhs) else None)
        except Reject as e:
            c.alarm = e.code
            assert c.stream.to_bytes() == before
            return
        c.rhs += c.stream.recent(len(shown))
        for a in accepted:
            if isinstance(a, AcceptedEnvelope) and a.void is None:
                c.applied[a.ident] = (a.n, a.hdr.seen[0])
        if c.unsent is not None and c.unsent.last_id in c.applied:
            c.unsent = None

    def check(self) -> None:
        """Invariants 1 and 2: only what some honest history placed is applied, and clients that share an op share its
        past."""
        placed = {item.body for room in self.branches for item in room.items}
        ids = {item_id(ENVELOPE, body) for body in placed}
        for c in self.clients:
            assert c.applied.keys() <= ids
            assert len({n for n, _ in c.applied.values()}) == len(c.applied)  # nothing twice
        for a in self.clients:
            for b in self.clients:
                for ident in a.applied.keys() & b.applied.keys():
                    assert a.applied[ident][1] == b.applied[ident][1]
                    upto = a.applied[ident][1] + 1
                    assert a.rhs[:upto] == b.rhs[:upto]


def _whole(items: list[Item]) -> list[Item]:
    end = len(items)
    while end and not items[end - 1].sig:
        end -= 1
    return items[:end]


def _lie(items: list[Item], history: list[Item], lie: int, at: int, n: int) -> list[Item]:
    """The items unchanged, or with one of them left out, doubled, swapped, changed or taken from the past."""
    if not items or lie < 3:
        return items
    at %= len(items)
    match lie:
        case 3:
            kept = items[:at] + items[at + 1 :]
        case 4:
            kept = [*items[: at + 1], items[at], *items[at + 1 :]]
        case 5:
            kept = [*items[:at], *reversed(items[at : at + 2]), *items[at + 2 :]]
        case 6:
            kept = [*items, history[at]]
        case 7:
            kept = [*items[:at], replace(items[at], sig=bytes(64)), *items[at + 1 :]]
        case _:
            return [*items[:at], replace(items[at], t=items[at].t + 1), *items[at + 1 :]]
    return [replace(item, n=n + 1 + i) for i, item in enumerate(kept)]


lies = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 3), st.integers(0, 8), st.integers(0, 20)),
    max_size=40,
)
Step = tuple[int, int, int, int, int]


def go_on(steps: list[Step]) -> Liar:
    liar = Liar(3)
    for what, who, branch, lie, at in steps:
        c = liar.clients[who]
        match what:
            case 0:
                if len(liar.branches) < 3:
                    liar.fork(branch, at)
            case 1 | 2 | 3:
                liar.write(c, branch, 1 + at % 3)
            case 4:
                liar.rotate(c, branch)
            case 5:
                liar.show(c, branch, lie, at, 1 + at % 4)
            case _:
                liar.show(c, branch, 0, 0, 100)
        liar.check()
    return liar


def end_well(liar: Liar) -> None:
    """At the end every client is shown the first history whole: it reaches the same state, or has an alarm."""
    for c in liar.clients:
        liar.show(c, 0, 0, 0, 10_000)
        if c.alarm is None and c.stream.n >= liar.branches[0].stream.n:
            same = c.rhs[: liar.branches[0].stream.n + 1] == liar.branches[0].rhs
            # a head that differs from the server's receipt is an alarm of the engine: FORK or ROLLBACK
            assert same or c.stream.rh != liar.branches[0].stream.rh
        if c.alarm is None and c.stream.rh == liar.branches[0].stream.rh:
            assert c.stream.to_bytes() == liar.branches[0].stream.to_bytes()
    liar.check()


@pytest.mark.slow
@given(lies)
@settings(max_examples=40)
def test_attack_whatever_a_lying_server_shows_clients_agree_on_what_an_author_had_seen(steps: list[Step]) -> None:
    end_well(go_on(steps))


@pytest.mark.slow
@given(lies)
@settings(max_examples=1000)
def test_attack_whatever_a_lying_server_shows_for_long_clients_agree(steps: list[Step]) -> None:
    end_well(go_on(steps))


@given(lies)
@settings(max_examples=15)
def test_an_honest_server_never_raises_an_alarm(steps: list[Step]) -> None:
    liar = go_on([(max(what, 1), who, 0, 0, at) for what, who, _, _, at in steps])
    end_well(liar)
    assert [c.alarm for c in liar.clients] == [None] * 3
    assert len({c.stream.to_bytes() for c in liar.clients}) == 1


def test_attack_a_hidden_item_becomes_an_alarm_once_an_item_that_saw_it_is_shown() -> None:
    liar = Liar(3)
    a, b, c = liar.clients
    liar.fork(0, len(liar.branches[0].items))
    liar.write(a, 0, 1)
    liar.show(b, 0, 0, 0, 10)  # b saw what a wrote
    liar.write(b, 0, 1)
    truth = liar.branches[0].items
    hidden = [replace(truth[-1], n=truth[-1].n - 1)]
    with pytest.raises(Reject, match="fork"):
        c.stream.accept(hidden, liar.office.book, lambda n: c.rhs[n])
    assert ENTRY == 1
