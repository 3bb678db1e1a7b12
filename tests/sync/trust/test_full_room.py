# SPDX-License-Identifier: EUPL-1.2
"""The largest state that the totals allow can be read again: every total is used up by every person that a room may
have, with the longest form of each number."""

from collections.abc import Iterator
from itertools import islice

import pytest

from sync.crypto.seal import PUBLIC_BYTES
from sync.ids import Hash, RoomId, Uid
from sync.protocol.version import MAX_ENTRY_BYTES
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch, most_prev_bytes
from sync.trust.room import snapshots, totals
from sync.trust.room.payload_reading import SUBJECT_LIMIT
from sync.trust.room.room_policy import NAME_LIMIT, NAMES_LIMIT, RECIPIENTS_LIMIT
from sync.trust.room.room_state import DeviceHead, Member, Proposal, RoomState, Snapshot
from sync.trust.room.state_codec import STATE_LIMIT, StateCodec, decode_state
from sync.trust.room.used_totals import EVERYBODY, Used

pytestmark = pytest.mark.slow  # 60 MB are made, written and read

BIG = 2**53
ID = Hash(b"\xff" * 32)
ATTESTS = tuple((Uid(bytes([i]) * 16), BIG) for i in range(snapshots.ATTESTS_KEPT))
PEOPLE = totals.PEOPLE.bound(0)
LONGEST = MAX_ENTRY_BYTES // 40 - 100
LINKED = totals.EPOCHS_KEPT + MAX_ENTRY_BYTES // 40 + totals.LINKS.bound(PEOPLE)
"""How many epochs all links together reach back over: each remembered epoch once, those before the oldest one as far as
one entry can hold, and what goes beyond the newest archive."""


def names() -> Iterator[bytes]:
    """Different names of 16 bytes."""
    n = 0
    while True:
        yield n.to_bytes(16, "big")
        n += 1


def take(count: int) -> list[bytes]:
    return list(islice(names(), count))


def epoch(e: int) -> Epoch:
    """The newest epochs carry what all links hold together."""
    at = BIG - e
    keys = min(max(LINKED - at * LONGEST, 0), LONGEST)
    return Epoch(
        e=e,
        kc=ID,
        ac=bytes(ID),
        prev=bytes(40 * keys + most_prev_bytes(0, 0)),
        base=BIG // 2,
        recip=ID,
        root=ID,
        count=PEOPLE,
        unsealed=(),
        pins=(),
        n=BIG,
        by=Uid(bytes(16)),
    )


def full_state() -> RoomState:
    people = [Uid(u) for u in take(PEOPLE)]
    objects, devices = take(totals.OBJECTS.bound(PEOPLE)), take(totals.DEVICES.bound(PEOPLE))
    row = Snapshot(ident=ID, n=BIG, t=BIG, uid=people[0], covers=BIG, attests=ATTESTS)
    lists = {"ext": [BIG] * NAMES_LIMIT, "kinds": [BIG] * NAMES_LIMIT, "types": ["🙂" * NAME_LIMIT] * NAMES_LIMIT}
    recovery = [[u, bytes(PUBLIC_BYTES)] for u in take(RECIPIENTS_LIMIT)]
    proposal = Proposal("recovery", bytes(SUBJECT_LIMIT), people[0], people[0])
    used = Used(objects=1, devices=2, epochs=3, links=4, people=5, entries=6, snapshots=7, day=8)
    last = {e: epoch(e) for e in range(BIG - totals.EPOCHS_KEPT + 2, BIG + 1)}
    return RoomState(
        room=RoomId(bytes(16)), n=BIG, rh=ID, t=BIG, entry_seq=BIG, entry_head=bytes(ID), epoch=BIG,
        rotation_owed=False,
        members={u: Member(u, Role.OWNER, BIG, BIG, True, ID, BIG) for u in people},
        epochs={BIG // 2: epoch(BIG // 2), **last},
        pins=dict.fromkeys(people, (BIG, ID)),
        policy={"format": lists, "recovery": recovery},
        proposals={Hash(i * 2): proposal for i in take(totals.PROPOSALS.bound(PEOPLE))},
        pruned=dict.fromkeys(objects, BIG),
        dev_owner=dict.fromkeys(devices, people[0]),
        device_heads=dict.fromkeys(devices, DeviceHead(BIG, bytes(ID), BIG, BIG)),
        shares=dict.fromkeys(objects, bytes(ID)),
        snapshots=dict.fromkeys(objects[: totals.SNAPSHOTS.bound(PEOPLE)], (row,)),
        baselines=dict.fromkeys(objects, (BIG, BIG, BIG)),
        used=dict.fromkeys([EVERYBODY, *people], used),
    )  # fmt: skip


def test_attack_the_state_of_a_full_room_can_be_read_again() -> None:
    state = full_state()
    made = StateCodec().encode(state, (), ())
    assert STATE_LIMIT - 4 * 2**20 < len(made) <= STATE_LIMIT, "the totals are as large as the state allows"
    assert decode_state(made) == state
