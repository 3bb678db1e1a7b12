# SPDX-License-Identifier: EUPL-1.2
"""Attacks of tests/sync/ATTACKS.md that the tests of the rules do not show."""

import os
from dataclasses import replace

import pytest

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import seal_to
from sync.errors import Reject
from sync.ids import ChangeId, ObjId
from sync.trust.formats.items import ENTRY, ENVELOPE, Role, item_id
from sync.trust.keys import merkle
from sync.trust.keys.epochs import KeyRing, in_order, new_epoch, open_seal, seal_info
from sync.trust.person.author import puk_key
from sync.trust.person.user_entry import DOMAIN as USER_DOMAIN
from sync.trust.person.user_entry import entry_id
from sync.trust.room import envelope
from sync.trust.room.entries import DOMAIN, entry_body
from sync.trust.room.envelope import (
    ObjectKeys,
    PlainOp,
    decrypt_op,
    encrypt_batch,
    object_of,
    pack,
    share_commitment,
    unpack,
)
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by, entry_by, epoch_in, signed
from tests.sync.trust.people import NOW, Room, Someone, signed_ops
from tests.sync.trust.test_roomlog import refused as no_entry
from tests.sync.trust.verdicts import TEXT, not_placed, ops_by, refused, void

NOTE = [b"x"]


def no_seal(room: Room, e: int, who: Someone, sealed: bytes, *, gen: int = 1) -> str:
    """The code with which a person refuses bytes as their seal of an epoch."""
    with pytest.raises(Reject) as found:
        open_seal(room.id, room.stream.epochs[e], who.uid, gen, puk_key(who.puk_seed), sealed)
    return found.value.code


# -- seals and epochs -------------------------------------------------------------------------------------------


def test_attack_a_swapped_leaf_makes_another_tree_and_opens_for_nobody(scene: Scene) -> None:
    """Two members' seals are swapped: the signed root differs, and neither member opens the seal of the other."""
    room = scene.room
    draft = room.drafter(scene.head).rotate()
    one, other = draft.seals
    assert merkle.root([other, one]) != epoch_in(draft).root == merkle.root([one, other])
    room.append(scene.head, draft)
    uids = [r.uid for r in in_order(room.stream.recipients(scene.office.book))]
    people = {p.uid: p for p in (scene.head, scene.clerk)}
    assert no_seal(room, 2, people[uids[0]], other) == "decrypt"
    assert no_seal(room, 2, people[uids[1]], one) == "decrypt"


def test_attack_a_stale_seal_opens_no_other_epoch_room_or_generation(scene: Scene) -> None:
    """A seal is shown in another place: another epoch, another room, after its key was replaced."""
    room, clerk = scene.room, scene.clerk
    first = room.drafter(scene.head).rotate()
    room.append(scene.head, first)
    second = room.drafter(scene.head).rotate()
    room.append(scene.head, second)
    mine = [r.uid for r in in_order(room.stream.recipients(scene.office.book))].index(clerk.uid)
    stale = first.seals[mine]
    open_seal(room.id, room.stream.epochs[2], clerk.uid, 1, clerk.puk, stale)
    assert no_seal(room, 3, clerk, stale) == "decrypt"
    assert no_seal(room, 2, clerk, second.seals[mine]) == "decrypt"
    other = Room.founded(scene.office, scene.head)
    other.join(scene.head, clerk)
    other.append(scene.head, other.drafter(scene.head).rotate())
    assert no_seal(other, 2, clerk, stale) == "decrypt"
    clerk.rotate_puk()
    assert no_seal(room, 2, clerk, stale, gen=2) == "decrypt"


def test_attack_a_malformed_seal_is_refused_and_never_an_error(scene: Scene) -> None:
    room, clerk, epoch = scene.room, scene.clerk, scene.room.stream.epochs[1]
    info = seal_info(room.id, 1, epoch.kc, clerk.uid, 1)
    k = room.ring(clerk).k(1)
    assert k is not None
    good = seal_to(clerk.puk.public, info, k)
    flipped = [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in (0, 1087, 1088, 1119, 1120, len(good) - 1)]
    for bad in (b"", b"\0", good[:-1], good + b"\0", good[:1120], bytes(len(good)), os.urandom(len(good)), *flipped):
        assert no_seal(room, 1, clerk, bad) == "decrypt"
    for secret in (b"", k[:-1], k + k[:-1], k + k + k):
        assert no_seal(room, 1, clerk, seal_to(clerk.puk.public, info, secret)) in ("decrypt", "split-epoch")


def test_attack_garbage_prev_by_a_from_now_writer_is_void_and_cuts_nobody_off(scene: Scene) -> None:
    """A writer who was never given the archive key states that they linked to it. Regardless of the bytes no client
    follows that link."""
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    to = room.stream.recipients(scene.office.book)
    fake = KeyRing(room.id, [(2, bytes(32), os.urandom(32))])
    linked = new_epoch(room.id, 3, to, [], fake, base=2).epoch
    for prev in (linked.prev, os.urandom(200), b"\0"):
        draft = entry_by(room, scene.guest, "epoch", [replace(linked, prev=prev).payload()])
        assert no_entry(room, scene.guest, draft) == "epoch-link"
    room.append(scene.guest, room.drafter(scene.guest).rotate())
    room.append(scene.head, room.drafter(scene.head).rotate())
    assert [room.stream.epochs[e].base for e in (3, 4)] == [None, 2]


# -- members and devices ----------------------------------------------------------------------------------------


def test_attack_what_a_demoted_member_dates_back_is_void(scene: Scene) -> None:
    """An op, an entry and an add, written and signed before the demotion, are shown after it."""
    room, clerk = scene.room, scene.clerk
    room.append(scene.head, room.drafter(scene.head).set_role(clerk.uid, Role.ADMIN))
    s, a = room.stream.state, clerk.author
    seen, op = (s.n, s.rh), ops_by(room, clerk)
    add = [scene.guest.uid, int(Role.READER), True, [2, scene.guest.log.head], bytes(32), None]
    room.append(scene.head, room.drafter(scene.head).set_role(clerk.uid, Role.READER))
    room.append(scene.head, room.drafter(scene.head).rotate())
    assert not_placed(room, op) == "forbidden"
    assert void(room, room.forced_ops(op)) == "forbidden"
    resigned = ops_by(room, clerk, seen=seen)  # under the epoch in force, as if it had seen no more
    assert void(room, room.forced_ops(resigned)) == "forbidden"
    for kind, payload in (("note", NOTE), ("add", add), ("destroy", [os.urandom(16), bytes(32), bytes(32)])):
        body = entry_body(room.id, s.entry_seq + 1, s.entry_head, a.uid, a.dev, seen, a.ulog, NOW, kind, payload)
        shown = room.forced(ENTRY, (body, a.signing.sign(DOMAIN, item_id(ENTRY, body)), None))
        assert void(room, shown) == "forbidden"
    assert scene.guest.uid not in room.client().members


def test_attack_a_dev_seq_is_not_used_twice(scene: Scene) -> None:
    """Other content under a dev_seq that the device has used, or a lower one; with the true prev and with the old
    one."""
    room = scene.room
    before = room.stream.next_prev(scene.clerk.uid, scene.clerk.author.dev)
    room.push(ops_by(room, scene.clerk, first_seq=7))
    for seq in (7, 6, 0):
        for prev in (before, room.stream.next_prev(scene.clerk.uid, scene.clerk.author.dev)):
            ops = ops_by(room, scene.clerk, first_seq=seq, prev=prev)
            assert refused(room, room.forced_ops(ops)) == "replay"
            assert not_placed(room, ops) == "replay"


def test_attack_an_unsigned_op_under_anothers_tail_is_refused(scene: Scene) -> None:
    """The clerk counts an op of the head under the clerk's own signature: before it, as its tail, and behind it."""
    room = scene.room
    client = room.client()
    (body, _, ct) = signed_ops(room.seal(scene.head, TEXT))[0]
    fits = batch_by(room, scene.clerk, [{"prev": item_id(ENVELOPE, body), "dev_seq": 2}])
    for tail in (room.seal(scene.clerk, b"2"), fits):
        shown = room.forced(ENVELOPE, (body, b"", ct), *signed_ops(tail))
        assert refused(room, shown, client) == "signature"
    head = scene.head.author
    theirs: dict[str, object] = {"dev": head.dev, "uid": head.uid, "ulog": head.ulog}
    for names in (["dev", "uid", "ulog"], ["dev"], ["uid"]):
        as_head = {name: theirs[name] for name in names}
        assert refused(room, room.forced_ops(batch_by(room, scene.clerk, [{}, as_head])), client) == "chain"
    behind = room.forced(ENVELOPE, *signed_ops(room.seal(scene.clerk, b"2")), (body, b"", ct))
    assert refused(room, behind, client) == "batch"


# -- transplants ------------------------------------------------------------------------------------------------


def test_attack_content_of_one_object_opens_in_no_other(scene: Scene) -> None:
    """A member who may write both objects shows content of one as content of the other: with its header, with its key,
    with its share under another id."""
    room, k = scene.room, scene.room.ring(scene.clerk).k(1)
    assert k is not None
    shares = [os.urandom(32), os.urandom(32)]
    objs = [object_of(room.id, share) for share in shares]
    keys = [ObjectKeys(room.id).key(k, 1, obj, share) for obj, share in zip(objs, shares, strict=True)]
    sealed = []
    for i in (0, 1):
        payload = pack([(ChangeId(os.urandom(16)), TEXT)])
        op = PlainOp(objs[i], keys[i], share_commitment(room.id, objs[i], shares[i]), payload)
        s, prev = room.stream, room.stream.next_prev(scene.clerk.uid, scene.clerk.author.dev)
        sealed.append(encrypt_batch(scene.clerk.author, room.id, 1, (s.n, s.rh), 1 + i, prev, [op]))
        room.push(sealed[i])
    one, two = (envelope.read_body(s.bodies[0])[0] for s in sealed)
    assert unpack(decrypt_op(keys[0], one, sealed[0].cts[0]))[0][1] == TEXT
    for key, header, ct in ((keys[1], one, 0), (keys[0], two, 0), (keys[1], two, 0), (keys[0], one, 1)):
        with pytest.raises(Reject) as e:
            decrypt_op(key, header, sealed[ct].cts[0])
        assert e.value.code == "decrypt"
    moved = signed(scene.clerk, [enc([two, H(sealed[0].cts[0]), len(sealed[0].cts[0])])], [sealed[0].cts[0]])
    assert refused(room, room.forced_ops(moved)) == "replay", "nor is the header of the other used again"
    third = ObjId(os.urandom(16))
    assert share_commitment(room.id, third, shares[0]) != share_commitment(room.id, objs[0], shares[0])
    begins = ops_by(room, scene.clerk, obj=objs[0], share_c=share_commitment(room.id, third, shares[0]), first_seq=3)
    assert void(room, room.forced_ops(begins)) == "share"


def test_attack_items_of_one_room_fit_no_other(scene: Scene) -> None:
    """Items are shown unchanged, and with the id of the other room inside and signed again by a member of both."""
    room, other = scene.room, Room.founded(scene.office, scene.head)
    other.join(scene.head, scene.clerk)
    shown = replace(other.items[-1], n=room.stream.n + 1, t=room.t + 1)
    assert refused(room, [shown]) == "chain", "an entry names the one before it"
    op = other.seal(scene.clerk, TEXT)
    assert refused(room, room.forced_ops(op)) == "chain", "an envelope too"
    fits = batch_by(room, scene.clerk, [{"room": other.id}])
    assert refused(room, room.forced_ops(fits)) == "other-room"
    parts = dec(envelope.read_body(op.bodies[0])[0], limit=envelope.HEADER_LIMIT)
    assert isinstance(parts, list)
    mine = room.stream.next_prev(scene.clerk.uid, scene.clerk.author.dev)
    s = room.stream
    header = enc([*parts[:2], room.id, *parts[3:6], mine, s.epoch, [s.n, s.rh], parts[9], room.id, *parts[11:]])
    moved = signed(scene.clerk, [enc([header, H(op.cts[0]), len(op.cts[0])])], op.cts)
    assert void(room, room.forced_ops(moved)) is None, "it is the clerk's word here, and opens for nobody"
    k = room.ring(scene.clerk).k(1)
    assert k is not None
    with pytest.raises(Reject, match="decrypt"):
        decrypt_op(ObjectKeys(room.id).key(k, 1, ObjId(room.id), envelope.root_share(room.id)), header, op.cts[0])


# -- encodings --------------------------------------------------------------------------------------------------


def other_forms(body: bytes) -> list[bytes]:
    """The same array of fields in forms that are not its one encoding; it begins `8x 01`."""
    count = body[0] & 0x1F
    return [
        bytes([0x98, count]) + body[1:],
        bytes([0x9F]) + body[1:] + b"\xff",
        body[:1] + b"\x18\x01" + body[2:],
        body[:1] + b"\x1b" + bytes(7) + b"\x01" + body[2:],
        body[:1] + b"\xc2\x41\x01" + body[2:],
        body[:1] + b"\xf9\x3c\x00" + body[2:],
        b"\xd9\xd9\xf7" + body,
        body + b"\0",
        body[:-1],
    ]


def test_attack_another_encoding_of_a_signed_body_is_refused(scene: Scene) -> None:
    """Signed by its author over just these bytes: an entry, a header and the body around it, an entry of a log."""
    room, key = scene.room, scene.clerk.author.signing
    entry = entry_by(room, scene.clerk, "note", NOTE).entries[0][0]
    for raw in other_forms(entry):
        shown = room.forced(ENTRY, (raw, key.sign(DOMAIN, item_id(ENTRY, raw)), None))
        assert refused(room, shown) == "encoding"
    op = room.seal(scene.clerk, TEXT)
    header, digest, length = envelope.read_body(op.bodies[0])
    bodies = [enc([raw, digest, length]) for raw in other_forms(header)]
    tail = op.bodies[0]
    bodies += [bytes([0x98, 3]) + tail[1:], bytes([0x9F]) + tail[1:] + b"\xff", tail + b"\0", tail[:-1]]
    for raw in bodies:
        assert refused(room, room.forced_ops(signed(scene.clerk, [raw], op.cts))) == "encoding"
    mine, _ = scene.clerk.entry(scene.clerk.author.dev, key, "puk_rotate", [])
    for raw in other_forms(mine):
        with pytest.raises(Reject) as e:
            scene.clerk.log.apply(raw, key.sign(USER_DOMAIN, entry_id(raw)))
        assert e.value.code == "encoding"
