# SPDX-License-Identifier: EUPL-1.2
"""Random lives of a room: all clients always agree, and exactly the right people can read."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.errors import Reject
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import KeyRing, open_seal, walk_back
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import Office, Room, Someone

WHO = st.integers(0, 3)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["push", "add", "add-from-now", "remove", "leave", "role", "rotate", "puk", "revoke", "pin"]),
        WHO,
        WHO,
        st.sampled_from(list(Role)),
    ),
    max_size=14,
)


class Life:
    """A room of up to four; every step is tried, and may be refused."""

    def __init__(self) -> None:
        self.office = Office()
        names = ("Enhetschef", "Handläggare", "Registrator", "Arkivarie")
        self.people = [self.office.hire(n) for n in names]
        self.room = Room.founded(self.office, self.people[0])
        self.sealed: dict[int, list[bytes]] = {}

    def step(self, what: str, by: Someone, other: Someone, role: Role) -> None:
        stream = self.room.stream
        if by.uid not in stream.members:
            return
        d = self.room.drafter(by)
        match what:
            case "push":
                if self.room.ring(by).k(stream.epoch) is not None:
                    self.room.push(self.room.seal(by, b"x", "å 🙂".encode()))
                return
            case "puk":
                by.rotate_puk()
                return
            case "revoke":
                tablet = by.add_device()
                by.revoke(list(by.log.devices).index(tablet.author.dev), self.office.agency)
                return
            case "add" | "add-from-now":
                draft = d.add(other.uid, role, history=what == "add")
            case "remove":
                draft = d.remove(other.uid)
            case "leave":
                draft = d.leave()
            case "role":
                draft = d.set_role(other.uid, role)
            case "rotate":
                draft = d.rotate()
            case _:
                draft = d.pin([u.uid for u in self.people if u.uid in stream.members])
        self.room.append(by, draft)
        self.sealed.setdefault(stream.epoch, []).extend(draft.seals)
        for person in self.people:
            self.open_seals(person, draft.seals)

    def open_seals(self, person: Someone, seals: list[bytes]) -> None:
        """Opens the seals as this person's client does; a seal for another person does not open."""
        room = self.room
        epoch = room.stream.epochs[room.stream.epoch]
        for sealed in seals:
            try:
                k, a = open_seal(room.id, epoch, person.uid, len(person.log.puks), person.puk, sealed)
            except Reject:
                continue
            room.ring(person).add(epoch.e, k, a)


def live(steps: list[tuple[str, int, int, Role]]) -> Life:
    life = Life()
    for what, by, other, role in steps:
        # a refusal is a fine answer: nothing of it may have happened
        before = life.room.stream.to_bytes()
        try:
            life.step(what, life.people[by], life.people[other], role)
        except Reject:
            assert life.room.stream.to_bytes() == before
    return life


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_clients_agree_however_they_were_served(steps: list[tuple[str, int, int, Role]], sizes: list[int]) -> None:
    """In one slice, in small ones, and from stored bytes in between: the state is the same, and no honest item is
    void."""
    room = live(steps).room
    whole = RoomStream(room.id)
    assert all(a.void is None for a in whole.accept(room.items, room.office.book, room.rh_at))
    assert whole.to_bytes() == room.stream.to_bytes()
    sliced, at = RoomStream(room.id), 0
    while at < len(room.items):
        end = min(len(room.items), at + sizes[at % len(sizes)])
        while not room.items[end - 1].sig:
            end += 1
        sliced.accept(room.items[at:end], room.office.book, room.rh_at)
        sliced = RoomStream.from_bytes(sliced.to_bytes())
        at = end
    assert sliced.to_bytes() == whole.to_bytes()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_exactly_the_members_of_record_read(steps: list[tuple[str, int, int, Role]]) -> None:
    """Every recipient holds the epoch's key; nobody holds the key of a time when they were no member and had no
    history."""
    life = live(steps)
    room, stream = life.room, life.room.stream
    recipients = {r.uid for r in stream.recipients(life.office.book)}
    made_here = bool(life.sealed.get(stream.epoch))
    for person in life.people:
        ring, member = room.ring(person), stream.members.get(person.uid)
        fresh = KeyRing(room.id, ring.all())
        for e, _, a in sorted(ring.all(), reverse=True):
            if a is not None:
                walk_back(room.id, stream.epochs[e], stream.epochs, fresh)
        if member is None and not stream.rotation_owed:
            assert fresh.k(stream.epoch) is None, "one who is gone"
        pinned_now = stream.pins.get(person.uid, (0, b""))[0] == person.log.seq
        if member is not None and not stream.rotation_owed and made_here and person.uid in recipients and pinned_now:
            assert fresh.k(stream.epoch) is not None, "one of record"
        if member is not None and not member.history:
            assert ring.a(stream.epoch) is None, "from now on means no archive key"


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.data())
def test_attack_a_server_that_drops_doubles_or_swaps_is_found_by_the_next_reader(
    steps: list[tuple[str, int, int, Role]], data: st.DataObject
) -> None:
    """A client either refuses what it is shown or reaches the state that all other clients have. It never differs
    unnoticed."""
    life = live(steps)
    room = life.room
    owner = next(p for p in life.people if room.stream.role_of(p.uid) is Role.OWNER)
    room.append(owner, room.drafter(owner).rotate())
    room.push(room.seal(owner, b"sist"))
    shown = list(room.items)
    at = data.draw(st.integers(2, len(shown) - 1))
    how = data.draw(st.sampled_from(["drop", "double", "swap"]))
    if how == "drop":
        del shown[at]
    elif how == "double":
        shown.insert(at, shown[at])
    else:
        shown[at - 1], shown[at] = shown[at], shown[at - 1]
    renumbered = [type(i)(n + 1, i.t, i.kind, i.body, i.sig, i.ct) for n, i in enumerate(shown)]
    client = RoomStream(room.id)
    try:
        client.accept(renumbered, room.office.book, room.rh_at)
    except Reject:
        assert client.n == 0
        return
    # not refused: then the tail was cut (seen by the server's receipt), and what is left is a true prefix
    assert (client.n, client.rh) in [(n, rh) for n, rh in enumerate(room.rhs)]
