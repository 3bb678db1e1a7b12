# SPDX-License-Identifier: EUPL-1.2
"""Epoch secrets: who can open what, and why a single writer can neither split an epoch nor cut off the history."""

import os
from dataclasses import replace
from typing import Any

import pytest

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import seal_to
from sync.errors import BugError, Reject
from sync.ids import Hash, Uid
from sync.trust.formats.items import Role
from sync.trust.keys import merkle
from sync.trust.keys.epochs import (
    Epoch,
    KeyRing,
    Recipient,
    in_order,
    new_epoch,
    open_seal,
    recipients_hash,
    seal_for,
    seal_info,
    sound_base,
    walk_back,
)
from sync.trust.person.author import puk_key
from sync.trust.room import envelope
from sync.trust.room.entries import RoomEntry
from sync.trust.room.entry_drafts import Draft
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import Room, Someone
from tests.sync.trust.verdicts import ops_by


def void(room: Room, by: Someone, draft: Draft) -> str | None:
    return room.client().accept(room.forced_entry(draft), room.office.book, room.rh_at)[-1].void


def rotated(room: Room, by: Someone, *others: Someone) -> Draft:
    draft = room.drafter(by).rotate()
    room.append(by, draft)
    for other in others:
        room.give_keys(other, draft)
    return draft


def changed_epoch(room: Room, by: Someone, **changes: Any) -> Draft:
    """A rotation whose public block was changed before it was signed."""
    entry = RoomEntry.decode(room.drafter(by).rotate().entries[0][0])
    assert entry.epoch is not None
    return room.any_entry(by, "epoch", [replace(entry.epoch, **changes).payload()])


def test_everyone_of_record_opens_the_epoch_and_all_history(scene: Scene) -> None:
    room = scene.room
    for _ in range(3):
        rotated(room, scene.head, scene.clerk)
    late = scene.office.hire("Arkivarie")
    room.join(scene.head, late)
    ring = room.ring(late)
    assert [e for e, _, _ in ring.all()] == [4]
    for e in (4, 3, 2):
        walk_back(room.id, room.stream.epochs[e], room.stream.epochs, ring)
    assert ring.all() == room.ring(scene.head).all()


def test_attack_a_from_now_member_gets_no_archive_key(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    ((e, _, a),) = room.ring(scene.guest).all()
    assert (e, a) == (2, None)
    assert walk_back(room.id, room.stream.epochs[2], room.stream.epochs, room.ring(scene.guest)) == []


def test_attack_a_removed_members_keys_open_nothing_later(scene: Scene) -> None:
    room = scene.room
    draft = room.drafter(scene.head).remove(scene.clerk.uid)
    room.append(scene.head, draft)
    epoch = room.stream.epochs[2]
    for sealed in draft.seals:
        with pytest.raises(Reject) as e:
            open_seal(room.id, epoch, scene.clerk.uid, 1, scene.clerk.puk, sealed)
        assert e.value.code == "decrypt"
    old_a = room.ring(scene.clerk).a(1)
    assert old_a is not None
    with pytest.raises(Reject, match="decrypt"):
        aead.decrypt(kdf(old_a, "prev", room.id, 2), ["prev", room.id, 2, 1], epoch.prev)


def test_attack_a_split_epoch_is_found_by_whoever_was_given_another_key(scene: Scene) -> None:
    room = scene.room
    epoch, clerk = room.stream.epochs[1], scene.clerk
    k, a = room.ring(scene.head).k(1), room.ring(scene.head).a(1)
    assert k is not None
    assert a is not None
    info = seal_info(room.id, 1, epoch.kc, clerk.uid, 1)
    for secret in (os.urandom(32), os.urandom(64), k + os.urandom(32)):
        with pytest.raises(Reject) as e:
            open_seal(room.id, epoch, clerk.uid, 1, clerk.puk, seal_to(clerk.puk.public, info, secret))
        assert e.value.code == "split-epoch"
    with pytest.raises(Reject) as e:
        open_seal(room.id, epoch, clerk.uid, 1, clerk.puk, seal_to(clerk.puk.public, info, b"short"))
    assert e.value.code == "decrypt"
    assert open_seal(room.id, epoch, clerk.uid, 1, clerk.puk, seal_to(clerk.puk.public, info, k + a)) == (k, a)


def test_any_seal_that_matches_the_commitment_is_good(scene: Scene) -> None:
    """A newcomer, a new key generation and a cannot_open get an unsigned re-seal from any holder."""
    room = scene.room
    scene.clerk.rotate_puk()
    puk = scene.clerk.log.puks[-1]
    to = Recipient(
        kind=1,
        uid=scene.clerk.uid,
        ulog_seq=3,
        ulog_head=scene.clerk.log.head,
        puk_gen=puk.gen,
        kem_pk=puk.kem_pk,
        history=True,
    )
    k, a = room.ring(scene.head).k(1), room.ring(scene.head).a(1)
    assert k is not None
    sealed = seal_for(room.id, room.stream.epochs[1], to, k, a)
    assert open_seal(room.id, room.stream.epochs[1], to.uid, 2, puk_key(scene.clerk.puk_seed), sealed) == (k, a)


def test_attack_a_silent_recipient_or_a_missing_one_is_seen_by_all(scene: Scene) -> None:
    room, log = scene.room, scene.guest.log
    s = room.stream
    everyone = s.recipients(scene.office.book)
    ghost = Recipient(
        kind=1, uid=log.uid, ulog_seq=2, ulog_head=log.head, puk_gen=1, kem_pk=log.puks[0].kem_pk, history=True
    )
    for wrong in ([*everyone, ghost], everyone[:1], []):
        new = new_epoch(room.id, 2, wrong, [], room.ring(scene.head), base=1)
        draft = room.any_entry(scene.head, "epoch", [new.epoch.payload()])
        assert void(room, scene.head, draft) == "recipients"
        with pytest.raises(Reject) as e:
            room.append(scene.head, draft)
        assert e.value.code == "recipients"
    assert void(room, scene.head, changed_epoch(room, scene.head, unsealed=(scene.guest.uid,))) == "recipients"
    assert void(room, scene.head, changed_epoch(room, scene.head, count=3)) == "recipients"


def test_recipients_have_one_order_whatever_order_they_come_in(scene: Scene) -> None:
    everyone = scene.room.stream.recipients(scene.office.book)
    assert recipients_hash(everyone) == recipients_hash(reversed(everyone))
    assert in_order(everyone) == in_order(reversed(everyone))
    rows: list[object] = [[r.kind, r.uid, r.ulog_seq, r.ulog_head, r.puk_gen] for r in everyone]
    assert recipients_hash(everyone) == H(enc(sorted(rows, key=enc)))


@pytest.mark.parametrize("e", [0, 1, 3])
def test_attack_an_epoch_out_of_turn_is_stale(scene: Scene, e: int) -> None:
    assert void(scene.room, scene.head, changed_epoch(scene.room, scene.head, e=e)) == "stale"


def test_an_epoch_block_has_one_of_three_shapes() -> None:
    block = [1, bytes(32), b"", b"", None, bytes(32), bytes(32), 0, [], []]
    Epoch.read(block)
    Epoch.read([*block[:2], bytes(32), *block[3:]])
    Epoch.read([*block[:2], bytes(32), b"x", 1, *block[5:]])
    wrong = ((b"", b"x", 1), (b"", b"", 1), (bytes(32), b"x", None), (bytes(32), b"", 1), (b"", b"x", None))
    for ac, prev, base in wrong:
        with pytest.raises(Reject):
            Epoch.read([*block[:2], ac, prev, base, *block[5:]])


# -- history cannot be cut off ----------------------------------------------------------------------------------


def test_a_signer_without_history_makes_an_epoch_without_archive(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    draft = rotated(room, scene.guest, scene.head, scene.clerk)
    epoch = room.stream.epochs[3]
    assert (epoch.ac, epoch.prev, epoch.base) == (b"", b"", None)
    assert draft.secrets is not None
    assert draft.secrets[2] is None
    rotated(room, scene.head, scene.clerk)
    assert room.stream.epochs[4].base == 2, "the next holder links over it"
    ring = KeyRing(room.id, [(4, room.ring(scene.clerk).k(4) or b"", room.ring(scene.clerk).a(4))])
    walk_back(room.id, room.stream.epochs[4], room.stream.epochs, ring)
    assert [e for e, _, _ in ring.all()] == [2, 3, 4]


def test_attack_a_signer_without_history_cannot_begin_or_fake_an_archive(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    to = room.stream.recipients(scene.office.book)
    ring = KeyRing(room.id, [(2, bytes(32), os.urandom(32))])
    for base in (None, 2):
        new = new_epoch(room.id, 3, to, [], ring, base=base)
        draft = room.any_entry(scene.guest, "epoch", [new.epoch.payload()])
        assert void(room, scene.guest, draft) == "epoch-link"


def test_no_epoch_is_made_with_a_link_that_nobody_could_read(scene: Scene) -> None:
    room = scene.room
    to = room.stream.recipients(scene.office.book)
    for ring, archive in ((room.ring(scene.head), False), (KeyRing(room.id, [(1, bytes(32), None)]), True)):
        with pytest.raises(BugError):
            new_epoch(room.id, 2, to, [], ring, archive=archive, base=1)


def test_attack_a_history_holder_cannot_begin_the_archive_again(scene: Scene) -> None:
    room = scene.room
    new = new_epoch(room.id, 2, room.stream.recipients(scene.office.book), [], room.ring(scene.head), base=None)
    draft = room.any_entry(scene.head, "epoch", [new.epoch.payload()])
    assert void(room, scene.head, draft) == "epoch-link"


def test_attack_a_bad_link_is_linked_over_by_the_next_holder(scene: Scene) -> None:
    """A writer encrypts rubbish as prev. A holder of the older A links below it, so nothing is lost."""
    room = scene.room
    room.join(scene.head, scene.guest)
    e1 = room.ring(scene.guest)
    honest = room.drafter(scene.clerk).rotate()
    entry = RoomEntry.decode(honest.entries[0][0])
    assert entry.epoch is not None
    bad = replace(entry.epoch, prev=os.urandom(150))
    draft = room.any_entry(scene.clerk, "epoch", [bad.payload()])
    room.append(scene.clerk, draft)
    for who in (scene.head, scene.guest, scene.clerk):
        room.give_keys(who, honest)
        assert room.ring(who).a(2) is not None
    with pytest.raises(Reject, match="decrypt"):
        walk_back(room.id, room.stream.epochs[2], room.stream.epochs, e1)
    assert sound_base(room.id, room.stream.epochs, room.ring(scene.head)) == 1
    rotated(room, scene.head, scene.guest)
    assert room.stream.epochs[3].base == 1
    fresh = KeyRing(room.id, [(3, room.ring(scene.guest).k(3) or b"", room.ring(scene.guest).a(3))])
    assert walk_back(room.id, room.stream.epochs[3], room.stream.epochs, fresh) == [1, 2]


def test_attack_a_link_with_a_wrong_key_in_it_is_refused_whole(scene: Scene) -> None:
    room, epoch = scene.room, scene.room.stream.epochs[1]
    a1 = room.ring(scene.head).a(1)
    rotated(room, scene.head)
    a2 = room.ring(scene.head).a(2)
    assert a1 is not None
    assert a2 is not None
    for content in ([a1, {1: bytes(32)}], [bytes(32), {1: bytes(32)}], [a1, {}], [a1, {1: None, 2: None}], [a1], 7):
        prev = aead.encrypt(kdf(a2, "prev", room.id, 2), ["prev", room.id, 2, 1], enc(content))
        ring = KeyRing(room.id, [(2, bytes(32), a2)])
        with pytest.raises(Reject, match=r"bad-link|malformed"):
            walk_back(room.id, replace(room.stream.epochs[2], prev=prev), room.stream.epochs, ring)
        assert [e for e, _, _ in ring.all()] == [2]
    assert epoch.base is None


def test_a_null_link_is_walked_but_not_built_upon(scene: Scene) -> None:
    """A signer who could not open an epoch writes null for it; the next holder of all keys links below."""
    room = scene.room
    rotated(room, scene.head)
    clerk = room.ring(scene.clerk)
    assert clerk.k(2) is None
    draft = rotated(room, scene.clerk, scene.head)
    epoch = room.stream.epochs[3]
    assert epoch.base == 1
    assert draft.secrets is not None
    a3 = draft.secrets[2]
    assert a3 is not None
    inside = dec(aead.decrypt(kdf(a3, "prev", room.id, 3), ["prev", room.id, 3, 1], epoch.prev), limit=4096)
    assert isinstance(inside, list)
    assert inside[1][2] is None
    rotated(room, scene.head)
    assert room.stream.epochs[4].base == 2, "epoch 3 has a null link, so its A is no base"


def test_when_nobody_may_read_history_the_archive_begins_again_with_the_signer(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN, history=False)
    room.append(scene.head, room.drafter(scene.head).set_role(scene.guest.uid, Role.OWNER))
    room.append(scene.head, room.drafter(scene.head).remove(scene.clerk.uid))
    room.append(scene.head, room.drafter(scene.head).leave())
    draft = rotated(room, scene.guest)
    epoch = room.stream.epochs[room.stream.epoch]
    assert (epoch.has_archive, epoch.base) == (True, None)
    assert room.stream.members[scene.guest.uid].history
    k, a = open_seal(room.id, epoch, scene.guest.uid, 1, scene.guest.puk, draft.seals[0])
    assert (k, a) == (room.ring(scene.guest).k(epoch.e), room.ring(scene.guest).a(epoch.e))
    room.join(scene.guest, scene.clerk)


def test_attack_adding_with_history_where_there_is_no_archive_rotates_in_the_same_entry(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    rotated(room, scene.guest, scene.head)
    third = scene.office.hire("Arkivarie")
    bare = room.any_entry(scene.head, "add", [third.uid, 2, True, [2, third.log.head], bytes(32), None])
    assert void(room, scene.head, bare) == "epoch-missing"
    draft = room.join(scene.head, third)
    assert RoomEntry.decode(draft.entries[0][0]).epoch is not None
    assert room.ring(third).a(room.stream.epoch) is not None


def test_attack_no_snapshot_is_placed_under_an_epoch_without_archive(scene: Scene) -> None:
    room = scene.room
    room.push(ops_by(room, scene.head, kind=envelope.SNAPSHOT))
    room.join(scene.head, scene.guest, history=False)
    rotated(room, scene.guest, scene.head)
    with pytest.raises(Reject) as e:
        room.push(ops_by(room, scene.head, kind=envelope.SNAPSHOT, first_seq=2))
    assert e.value.code == "stale"


def test_a_recipient_nobody_can_seal_to_is_listed_and_the_rotation_goes_on(scene: Scene) -> None:
    room = scene.room
    everyone = room.stream.recipients(scene.office.book)
    broken = [replace(r, kem_pk=r.kem_pk[:1184] + bytes(32)) if r.uid == scene.clerk.uid else r for r in everyone]
    new = new_epoch(room.id, 2, broken, [], room.ring(scene.head), base=1)
    assert new.epoch.unsealed == (bytes(scene.clerk.uid),)
    room.append(scene.head, room.any_entry(scene.head, "epoch", [new.epoch.payload()]))
    assert room.stream.epoch == 2


def test_secrets_are_fresh_on_every_attempt(scene: Scene) -> None:
    drafts = [scene.room.drafter(scene.head).rotate().secrets for _ in range(3)]
    assert len({d for d in drafts if d is not None}) == 3


def test_a_key_ring_shows_only_numbers_and_keeps_the_archive_key(scene: Scene) -> None:
    ring = KeyRing(scene.room.id)
    assert ring.add(1, b"k" * 32, None)
    assert ring.add(1, b"k" * 32, b"a" * 32)
    assert not ring.add(1, b"k" * 32, None)
    assert ring.a(1) == b"a" * 32
    assert "kkkk" not in repr(ring)


# -- RFC 9162 ---------------------------------------------------------------------------------------------------


def test_the_tree_head_is_that_of_rfc_9162() -> None:
    """Known heads of the reference data of certificate transparency (RFC 6962 test leaves)."""
    leaves = [
        bytes.fromhex(h)
        for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    ]
    heads = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, head in heads.items():
        assert merkle.root(leaves[:size]).hex() == head


@pytest.mark.parametrize("size", range(1, 40))
def test_the_tree_by_levels_is_the_tree_by_definition(size: int) -> None:
    def by_definition(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return H(b"\0", leaves[0])
        k = 1
        while k * 2 < len(leaves):
            k *= 2
        return H(b"\1", by_definition(leaves[:k]), by_definition(leaves[k:]))

    leaves = [os.urandom(5) for _ in range(size)]
    assert merkle.root(leaves) == by_definition(leaves)


def test_ids_are_names_only(scene: Scene) -> None:
    assert Uid(scene.clerk.log.heads[0][:16]) == scene.clerk.uid
    assert Hash(scene.clerk.log.heads[0]) == scene.clerk.log.genesis
