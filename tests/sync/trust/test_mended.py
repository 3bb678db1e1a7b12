# SPDX-License-Identifier: EUPL-1.2
"""Defects that a review of sync/trust found: each test failed first."""

import os
from dataclasses import replace

import pytest

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey, seal_to
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, ObjId
from sync.trust.formats.items import ENTRY, ENVELOPE, RH_0, Item, Role, item_id, room_id_of
from sync.trust.keys.epochs import KeyRing, in_order, new_epoch, seals_fit
from sync.trust.person import user_entry
from sync.trust.person.author import Author, open_puk, puk_info, puk_payload
from sync.trust.person.user_entry import device_id, entry_id
from sync.trust.person.user_log import UserLog
from sync.trust.room import envelope
from sync.trust.room.entries import DOMAIN, NO_PREV, entry_body
from sync.trust.room.entry_rules import recipients
from sync.trust.room.room_state import Member
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW, Office, Room, Someone, signed_ops


def add_device(who: Someone) -> Author:
    """A second device of the same person, added by the first."""
    key, kem = SigningKey(os.urandom(32)), KemKey(os.urandom(32))
    log, first = who.log, who.author
    keys = [key.public, kem.public]
    proof = key.sign("dev-proof", [log.uid, log.head, keys, first.dev])
    dev = device_id(log.genesis_root_pk, key.public)
    sealed = seal_to(kem.public, puk_info(log.uid, len(log.puks), dev), who.puk_seed)
    payload: list[object] = [keys, proof, len(log.puks), sealed]
    append_user(
        who, first.signing, user_entry.entry_body(log.uid, log.seq + 1, log.head, first.dev, NOW, "dev_add", payload)
    )
    assert open_puk(log.puks[-1], log.uid, dev, kem) == who.puk_seed
    return Author(uid=log.uid, dev=dev, signing=key, ulog=(log.seq, log.head))


def revoke(who: Someone, dev: DevId) -> None:
    """The first device revokes another and makes the next PUK generation."""
    log, first = who.log, who.author
    target = log.devices[dev]
    left = replace(log, devices={**log.devices, target.dev: replace(target, revoked=log.seq + 1)})
    new_seed = os.urandom(32)
    payload: list[object] = [dev, [], puk_payload(left, new_seed, who.puk_seed)]
    append_user(
        who, first.signing, user_entry.entry_body(log.uid, log.seq + 1, log.head, first.dev, NOW, "dev_revoke", payload)
    )
    who.puk_seed = new_seed


def append_user(who: Someone, key: SigningKey, body: bytes) -> None:
    sig = key.sign(user_entry.DOMAIN, entry_id(body))
    who.log.apply(body, sig)
    who.entries.append((body, sig))


def forced_first(room: Room, by: Author, kind: int, *, obj: bytes, share_c: bytes = b"") -> list[Item]:
    """One envelope of a kind that the drafts do not make, as a false server would show it."""
    s = room.stream
    ops = [envelope.PlainOp(ObjId(obj), os.urandom(32), share_c, b"", kind)]
    sealed = envelope.encrypt_batch(by, room.id, s.epoch, (s.n, s.rh), 1, s.next_prev(by.uid, by.dev), ops)
    return room.forced(ENVELOPE, *signed_ops(sealed))


def test_a_room_keeps_its_founding_after_its_founder_was_reset(scene: Scene) -> None:
    log = scene.head.log
    body = user_entry.entry_body(log.uid, log.seq + 1, log.head, user_entry.AGENCY, NOW, "reset", [])
    append_user(scene.head, scene.office.agency.key, body)
    client = scene.room.client()
    assert client.to_bytes() == scene.room.stream.to_bytes()
    assert client.members[scene.head.uid].role is Role.OWNER


def test_attack_a_first_epoch_without_archive_is_refused() -> None:
    office = Office()
    founder = office.hire("Enhetschef")
    a = founder.author
    genesis = entry_body(None, 0, NO_PREV, a.uid, a.dev, (0, RH_0), a.ulog, NOW, "genesis", [bytes(32), {}, None])
    ident = item_id(ENTRY, genesis)
    room = room_id_of(ident)
    member = Member(a.uid, Role.OWNER, 1, 0, True, ident)
    to = recipients({a.uid: member}, {a.uid: a.ulog}, {}, office.book)
    new = new_epoch(room, 1, to, [], KeyRing(room), archive=False)
    epoch = entry_body(room, 1, ident, a.uid, a.dev, (0, RH_0), a.ulog, NOW, "epoch", [new.epoch.payload()])
    items = [
        Item(n, NOW, ENTRY, body, a.signing.sign(DOMAIN, item_id(ENTRY, body)), None)
        for n, body in enumerate((genesis, epoch), start=1)
    ]
    with pytest.raises(Reject, match="epoch-link"):
        RoomStream(room).accept(items, office.book)


def test_attack_a_reader_cannot_begin_an_object(scene: Scene) -> None:
    scene.room.join(scene.head, scene.guest, Role.READER)
    obj, share = os.urandom(16), os.urandom(32)
    commitment = envelope.share_commitment(scene.room.id, obj, share)
    items = forced_first(scene.room, scene.guest.author, envelope.HEARTBEAT, obj=obj, share_c=commitment)
    (accepted,) = scene.room.client().accept(items, scene.office.book)
    assert accepted.void == "share"


def test_content_that_nothing_explains_is_withheld_until_a_destroy_does(scene: Scene) -> None:
    room, clerk = scene.room, scene.clerk
    room.push(room.seal(clerk, "Åtgärd behövs 🙂".encode()))
    hidden = [replace(i, ct=None) if i.n == room.stream.n else i for i in room.items]
    client = RoomStream(room.id)
    client.accept(hidden, scene.office.book)
    assert client.withheld() == [room.stream.n]
    assert RoomStream.from_bytes(client.to_bytes()).withheld() == [room.stream.n]


def test_a_destroyed_objects_missing_content_is_right(scene: Scene) -> None:
    room, clerk = scene.room, scene.clerk
    obj, share = ObjId(os.urandom(16)), os.urandom(32)
    k = room.ring(clerk).k(room.stream.epoch)
    assert k is not None
    key = envelope.ObjectKeys(room.id).key(k, room.stream.epoch, obj, share)
    op = envelope.PlainOp(obj, key, envelope.share_commitment(room.id, obj, share), b"")
    s, a = room.stream, clerk.author
    room.push(envelope.encrypt_batch(a, room.id, s.epoch, (s.n, s.rh), 1, s.next_prev(a.uid, a.dev), [op]))
    n = room.stream.n
    room.append(scene.head, room.drafter(scene.head).destroy(obj, H(b"rule"), H(b"decision")))
    client = RoomStream(room.id)
    client.accept([replace(i, ct=None) if i.n == n else i for i in room.items[:n]], scene.office.book)
    assert client.withheld() == [n]
    client.accept(room.items[n:], scene.office.book)
    assert client.withheld() == []
    later = RoomStream(room.id)
    later.accept([replace(i, ct=None) if i.n == n else i for i in room.items], scene.office.book)
    assert later.to_bytes() == client.to_bytes()


def test_a_batch_that_states_a_revocation_counts_whole_and_then_the_room_owes_a_rotation(scene: Scene) -> None:
    second = add_device(scene.clerk)
    room = scene.room
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.clerk.uid]))
    assert not room.stream.rotation_owed
    revoke(scene.clerk, second.dev)
    accepted = room.push(room.seal(scene.clerk, b"ett", b"tv\xc3\xa5", b"tre"))
    assert [a.void for a in accepted] == [None] * 3
    assert room.stream.rotation_owed
    assert room.client().to_bytes() == room.stream.to_bytes()


def test_attack_a_revoked_device_cannot_choose_the_next_key_by_pinning_past_itself(scene: Scene) -> None:
    room, clerk = scene.room, scene.clerk
    second = add_device(clerk)
    room.append(clerk, room.drafter(clerk).pin([clerk.uid]))
    revoke(clerk, second.dev)
    s, ring = room.stream, room.ring(clerk)
    head = (clerk.log.seq, clerk.log.head)
    to = recipients(s.members, {**s.pins, clerk.uid: head}, s.state.policy, scene.office.book)
    new = new_epoch(room.id, s.epoch + 1, to, [(clerk.uid, *head)], ring, base=1)
    body = entry_body(
        room.id, s.state.entry_seq + 1, s.state.entry_head, clerk.uid, second.dev, (s.n, s.rh), second.ulog, NOW,
        "epoch", [new.epoch.payload()],
    )  # fmt: skip
    signed = (body, second.signing.sign(DOMAIN, item_id(ENTRY, body)), None)
    with pytest.raises(Reject, match="ulog"):
        room.stream.place(ENTRY, [signed], room.t, scene.office.book, room.rh_at)
    assert room.client().accept(room.forced(ENTRY, signed), scene.office.book)[0].void == "ulog"


def test_attack_an_approved_proposal_of_history_does_not_outlive_a_removal(scene: Scene) -> None:
    room, head, clerk, guest = scene.room, scene.head, scene.clerk, scene.guest
    room.append(head, room.drafter(head).set_role(clerk.uid, Role.ADMIN))
    room.join(head, guest, history=False)
    room.append(clerk, room.drafter(clerk).propose("hist", guest.uid))
    proposal = next(iter(room.stream.state.proposals))
    room.append(head, room.drafter(head).approve(proposal))
    room.append(head, room.drafter(head).remove(guest.uid))
    assert room.stream.state.proposals == {}
    room.join(head, guest, history=False)
    with pytest.raises(Reject, match="proposal"):
        room.append(head, room.drafter(head).hist(guest.uid, proposal))


def test_attack_a_proposal_of_one_who_is_no_longer_an_administrator_cannot_be_approved(scene: Scene) -> None:
    room, head, clerk, guest = scene.room, scene.head, scene.clerk, scene.guest
    room.append(head, room.drafter(head).set_role(clerk.uid, Role.ADMIN))
    room.join(head, guest, history=False)
    room.append(clerk, room.drafter(clerk).propose("hist", guest.uid))
    proposal = next(iter(room.stream.state.proposals))
    room.append(head, room.drafter(head).set_role(clerk.uid, Role.WRITER))
    room.append(head, room.drafter(head).rotate())
    with pytest.raises(Reject, match="proposal"):
        room.append(head, room.drafter(head).approve(proposal))


def test_attack_a_time_that_no_clock_shows_is_refused(scene: Scene) -> None:
    scene.room.push(scene.room.seal(scene.clerk, b"hej"))
    last = scene.room.items[-1]
    client = scene.room.client(last.n - 1)
    with pytest.raises(Reject, match="time"):
        client.accept([replace(last, t=2**63)], scene.office.book)


def test_attack_true_is_not_one() -> None:
    office = Office()
    founder = office.hire("Enhetschef")
    body, sig = founder.entries[0]
    parts = dec(body, limit=1 << 20)
    assert isinstance(parts, list)
    for place, value, code in ((0, True, "format"), (6, ["genesis"], "malformed"), (6, {}, "malformed")):
        wrong = [*parts[:place], value, *parts[place + 1 :]]
        with pytest.raises(Reject, match=code):
            UserLog(office.agency.pk).apply(enc(wrong), sig)


def test_a_slice_that_is_refused_leaves_order_and_bytes_as_they_were(scene: Scene) -> None:
    room, clerk, head = scene.room, scene.clerk, scene.head
    start = room.stream.n
    room.push(room.seal(clerk, b"ett"))
    room.push(room.seal(head, b"tv\xc3\xa5"))
    items = room.items[start:]
    client = room.client(start)
    before = client.to_bytes()
    with pytest.raises(Reject):
        client.accept([items[0], replace(items[1], sig=bytes(64))], scene.office.book)
    assert client.to_bytes() == before
    assert client.recent(1) == [client.rh]
    client.accept(items, scene.office.book)
    assert client.to_bytes() == room.client().to_bytes()


def test_attack_a_part_padded_otherwise_than_it_is_sealed_is_refused() -> None:
    from sync.ids import PartId, RoomId
    from sync.trust.room import blob_manifest

    room = RoomId(bytes(16))
    part, _ = blob_manifest.encrypt_part(room, b"kort", last=True)
    wrong = aead.encrypt(part.key, ["part", room, PartId(part.part)], b"kort".ljust(300, b"\0"))
    with pytest.raises(Reject, match="padding"):
        blob_manifest.decrypt_part(room, replace(part, digest=H(wrong)), wrong)


def test_attack_a_seal_that_gives_more_or_less_than_its_recipient_should_get_is_refused(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    s = room.stream
    to = in_order(recipients(s.members, s.pins, s.state.policy, scene.office.book))
    new = new_epoch(room.id, s.epoch + 1, to, [], room.ring(scene.head), base=s.epoch)
    assert seals_fit(new.epoch, to, new.seals)
    from_now = next(i for i, r in enumerate(to) if r.uid == scene.guest.uid)
    whole = next(i for i, r in enumerate(to) if r.uid == scene.clerk.uid)
    for i, wrong in ((from_now, new.seals[whole]), (whole, new.seals[from_now]), (whole, b""), (from_now, b"x" * 50)):
        assert not seals_fit(new.epoch, to, [*new.seals[:i], wrong, *new.seals[i + 1 :]])
    assert not seals_fit(new.epoch, to, new.seals[:-1])
    listed = replace(new.epoch, unsealed=(bytes(scene.clerk.uid),))
    assert not seals_fit(listed, to, new.seals)
    assert seals_fit(listed, to, [b"" if i == whole else x for i, x in enumerate(new.seals)])


def test_attack_a_stranger_cannot_make_a_room_need_an_update(scene: Scene) -> None:
    room, guest = scene.room, scene.guest
    room.append(scene.head, room.drafter(scene.head).policy({"format": {"types": ["x"]}}))
    s, a = room.stream, guest.author
    body = entry_body(
        room.id, s.state.entry_seq + 1, s.state.entry_head, a.uid, a.dev, (s.n, s.rh), a.ulog, NOW, "x", []
    )
    signed = (body, a.signing.sign(DOMAIN, item_id(ENTRY, body)), None)
    assert room.client().accept(room.forced(ENTRY, signed), scene.office.book)[0].void == "forbidden"
