# SPDX-License-Identifier: EUPL-1.2
"""Cases of keybase's team chains that are rewritten for a room's stream (tests/sync/ATTACKS.md, second table)."""

import base64
import json
import os
from collections.abc import Callable

import pytest

from sync.crypto.encoding import dec, enc
from sync.ids import Hash
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, Role, item_id
from sync.trust.person.user_entry import DOMAIN as USER_DOMAIN
from sync.trust.person.user_entry import entry_id
from sync.trust.room.entries import DOMAIN, RoomEntry, entry_body
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import entry_by
from tests.sync.trust.people import NOW, Room, Someone
from tests.sync.trust.test_roomlog import refused as no_entry
from tests.sync.trust.verdicts import TEXT, ops_by, refused, void

NOTE = [b"x"]


def shown(room: Room, by: Someone, body: bytes) -> list[Item]:
    """An entry of any bytes at the next position, properly signed by its author."""
    return room.forced(ENTRY, (body, by.author.signing.sign(DOMAIN, item_id(ENTRY, body)), None))


def fields(body: bytes) -> list[object]:
    found = dec(body, limit=4096)
    assert isinstance(found, list)
    return found


def at(room: Room, by: Someone, seq: int, prev: bytes, kind: str = "note", payload: object = NOTE) -> bytes:
    a, s = by.author, room.stream
    return entry_body(room.id, seq, prev, a.uid, a.dev, (s.n, s.rh), a.ulog, NOW, kind, payload)


@pytest.mark.parametrize("by", ["head", "clerk"])
def test_attack_an_entry_names_the_one_before_it(scene: Scene, by: str) -> None:
    """The entry names another entry before it, none, or a wrong number, regardless of who signs."""
    room, s, who = scene.room, scene.room.stream.state, getattr(scene, by)
    older = RoomEntry.decode(room.items[1].body)
    for seq, prev in (
        (s.entry_seq + 1, os.urandom(32)),
        (s.entry_seq + 1, bytes(32)),
        (s.entry_seq + 1, older.ident),
        (s.entry_seq + 2, s.entry_head),
        (s.entry_seq, s.entry_head),
        (s.entry_seq, older.ident),
        (0, bytes(32)),
    ):
        assert refused(room, shown(room, who, at(room, who, seq, prev))) == "chain"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: b"", "encoding"),
        (lambda body: b"null", "encoding"),
        (lambda body: json.dumps([1, 2]).encode(), "encoding"),
        (base64.b64encode, "encoding"),
        (lambda body: enc(None), "malformed"),
        (lambda body: enc(body), "malformed"),
        (lambda body: enc({1: body}), "malformed"),
        (lambda body: enc([]), "malformed"),
        (lambda body: enc(fields(body)[:-1]), "malformed"),
        (lambda body: enc([*fields(body), b""]), "malformed"),
        (lambda body: enc([3, *fields(body)[1:]]), "format"),
        (lambda body: enc([1, *fields(body)[1:]]), "old-format"),
    ],
)
def test_attack_what_is_no_entry_is_refused(scene: Scene, change: Callable[[bytes], bytes], code: str) -> None:
    """A body that is stubbed, wrapped, of another type or another version is no entry, though its author signed it."""
    room = scene.room
    body = entry_by(room, scene.head, "note", NOTE).entries[0][0]
    assert refused(room, shown(room, scene.head, change(body))) == code


def test_attack_what_is_signed_for_one_chain_counts_in_no_other(scene: Scene) -> None:
    """An entry of a user log, an envelope and a room entry over the same bytes: each has its own domain."""
    room, key = scene.room, scene.clerk.author.signing
    body = entry_by(room, scene.clerk, "note", NOTE).entries[0][0]
    for domain, ident in (
        (USER_DOMAIN, entry_id(body)),
        (USER_DOMAIN, item_id(ENTRY, body)),
        ("op", item_id(ENVELOPE, body)),
        ("op", item_id(ENTRY, body)),
        (DOMAIN, entry_id(body)),
        (DOMAIN, item_id(ENVELOPE, body)),
        ("eph", item_id(ENTRY, body)),
    ):
        assert refused(room, room.forced(ENTRY, (body, key.sign(domain, ident), None))) == "signature"
    assert refused(room, room.forced(ENVELOPE, (body, key.sign("op", item_id(ENVELOPE, body)), b""))) == "malformed"
    op = room.seal(scene.clerk, TEXT).bodies[0]
    assert refused(room, shown(room, scene.clerk, op)) == "malformed"


@pytest.mark.parametrize("role", [Role.READER, Role.WRITER, Role.ADMIN])
def test_attack_nobody_raises_their_own_role(scene: Scene, role: Role) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, role)
    for higher in Role:
        draft = room.drafter(scene.guest).set_role(scene.guest.uid, higher)
        if higher > role:
            assert no_entry(room, scene.guest, draft) == "forbidden"


def test_attack_nobody_is_added_twice(scene: Scene) -> None:
    """An administrator also cannot add a member again with a role that the administrator may not set directly."""
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN)
    for by, uid, role in (
        (scene.head, scene.clerk.uid, Role.ADMIN),
        (scene.guest, scene.clerk.uid, Role.WRITER),
        (scene.guest, scene.guest.uid, Role.ADMIN),
        (scene.guest, scene.head.uid, Role.READER),
    ):
        log = scene.office.book.logs[uid]
        draft = entry_by(room, by, "add", [uid, int(role), True, [log.seq, log.head], bytes(32), None])
        assert no_entry(room, by, draft) == "member"


def test_attack_a_removed_administrators_entries_are_void_and_the_earlier_ones_stand(scene: Scene) -> None:
    """Regardless of when it was signed or is dated: an entry after the removal is void, and one before it is not."""
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN)
    third, fourth = scene.office.hire("Arkivarie"), scene.office.hire("Jurist")
    room.append(scene.guest, room.drafter(scene.guest).add(third.uid, Role.READER, history=True))
    before = room.stream.n, room.stream.rh
    room.append(scene.head, room.drafter(scene.head).remove(scene.guest.uid))
    add = [fourth.uid, int(Role.READER), True, [2, fourth.log.head], bytes(32), None]
    for seen in (before, (room.stream.n, room.stream.rh)):
        for kind, payload in (("add", add), ("note", NOTE), ("leave", [0, b""]), ("pin", [[]])):
            draft = entry_by(room, scene.guest, kind, payload, seen=seen)
            assert no_entry(room, scene.guest, draft) == "forbidden"
    assert third.uid in room.client().members


def test_attack_what_stands_behind_a_revocation_is_void_and_the_earlier_stands(scene: Scene) -> None:
    room = scene.room
    tablet = scene.clerk.add_device()
    room.push(ops_by(room, tablet))
    stands = room.stream.n
    before = ops_by(room, tablet, first_seq=2)
    scene.clerk.revoke(1, scene.office.agency)
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.clerk.uid]))
    assert void(room, room.forced_ops(before)) == "stale", "with the log as it was"
    assert void(room, room.forced_ops(ops_by(room, tablet, first_seq=2))) == "revoked"
    entry = entry_by(room, tablet, "note", NOTE)
    assert no_entry(room, tablet, entry) == "revoked"
    taken = room.client(0).accept(room.items, room.office.book, room.rh_at)
    assert taken[stands - 1].void is None


def test_attack_an_epoch_that_is_not_yet_is_not_asked_for(scene: Scene) -> None:
    room = scene.room
    for e in (0, 2, 1 << 40):
        assert no_entry(room, scene.clerk, room.drafter(scene.clerk).cannot_open(e)) == "epoch-missing"


def test_attack_a_person_is_not_added_with_a_head_of_another(scene: Scene) -> None:
    """The head must be of the person's own log. Otherwise the adder could choose a log, and with it a key of their
    own."""
    room, log = scene.room, scene.guest.log
    for seq, head in ((2, scene.clerk.log.head), (2, Hash(bytes(32))), (1, log.head)):
        draft = entry_by(room, scene.head, "add", [scene.guest.uid, 1, True, [seq, head], bytes(32), None])
        assert no_entry(room, scene.head, draft) == "ulog"
