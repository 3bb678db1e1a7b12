# SPDX-License-Identifier: EUPL-1.2
"""Rules of epochs, seals, history and ephemerals, one by one (PROTOCOL.md, "Rules and their tests")."""

import os
from dataclasses import replace

import pytest

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.errors import Reject
from sync.ids import Hash, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import (
    RECOVERY,
    USER,
    KeyRing,
    Recipient,
    new_epoch,
    open_seal,
    recipients_hash,
    seal_for,
    walk_back,
)
from sync.trust.room import ephemeral
from sync.trust.room.entries import RoomEntry
from sync.trust.room.entry_rules import SEASONED_MS
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import entry_by, epoch_in
from tests.sync.trust.people import NOW, Room, Someone
from tests.sync.trust.test_ephemeral import Ears, key_of
from tests.sync.trust.test_roomlog import proposed
from tests.sync.trust.test_roomlog import refused as no_entry


def approved(room: Room, by: Someone, other: Someone, what: str, subject: bytes) -> Hash:
    """A proposal by one administrator that the other has approved."""
    ident = proposed(room, by, what, subject)
    room.append(other, room.drafter(other).approve(ident))
    return ident


@pytest.fixture
def two(scene: Scene) -> Scene:
    """The clerk is an administrator, for longer than seven days."""
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    room.t += SEASONED_MS
    return scene


def test_attack_a_link_goes_to_an_epoch_with_an_archive(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, history=False)
    bare = room.drafter(scene.guest).rotate()
    room.append(scene.guest, bare)
    room.give_keys(scene.head, bare)
    room.ring(scene.head).add(3, room.ring(scene.head).k(3) or b"", os.urandom(32))
    to = room.stream.recipients(scene.office.book)
    for base in (3, 7):
        new = new_epoch(room.id, 4, to, [], room.ring(scene.head), base=3)
        block = replace(new.epoch, base=base).payload()
        assert no_entry(room, scene.head, entry_by(room, scene.head, "epoch", [block])) == "epoch-link"


def test_attack_another_head_or_generation_is_another_recipient() -> None:
    one = Recipient(USER, Uid(bytes(16)), 2, Hash(bytes(32)), 1, b"", True)
    others = (
        replace(one, kind=RECOVERY),
        replace(one, uid=Uid(b"\1" * 16)),
        replace(one, ulog_seq=3),
        replace(one, ulog_head=Hash(b"\1" * 32)),
        replace(one, puk_gen=2),
    )
    assert len({recipients_hash([r]) for r in (one, *others)}) == 6


@pytest.mark.parametrize(("kind", "history"), [(USER, False), (RECOVERY, False), (RECOVERY, True)])
def test_attack_a_reseal_gives_a_from_now_or_recovery_recipient_no_archive_key(
    scene: Scene, kind: int, history: bool
) -> None:
    room, key = scene.room, KemKey(os.urandom(32))
    to = Recipient(kind, scene.guest.uid, 2, scene.guest.log.head, 1, key.public, history)
    k, a = room.ring(scene.head).k(1), room.ring(scene.head).a(1)
    assert k is not None
    assert a is not None
    sealed = seal_for(room.id, room.stream.epochs[1], to, k, a)
    assert open_seal(room.id, room.stream.epochs[1], to.uid, 1, key, sealed) == (k, None)
    new = new_epoch(room.id, 2, [to], [], room.ring(scene.head), base=1)
    assert open_seal(room.id, new.epoch, to.uid, 1, key, new.seals[0]) == (new.k, None)


def test_attack_a_ghost_in_a_members_place_is_seen_by_all(scene: Scene) -> None:
    """The number of recipients is right, but in one place there is a wrong person, or the right person at a wrong
    head."""
    room, log = scene.room, scene.guest.log
    one, other = room.stream.recipients(scene.office.book)
    ghost = replace(one, uid=log.uid, ulog_head=log.head, kem_pk=log.puks[0].kem_pk)
    for wrong in ([one, ghost], [one, replace(other, ulog_seq=1, ulog_head=scene.clerk.log.heads[1])], [one, one]):
        new = new_epoch(room.id, 2, wrong, [], room.ring(scene.head), base=1)
        assert no_entry(room, scene.head, entry_by(room, scene.head, "epoch", [new.epoch.payload()])) == "recipients"
    twice = replace(
        new_epoch(room.id, 2, [one, other], [], room.ring(scene.head), base=1).epoch, unsealed=(one.uid,) * 2
    )
    assert no_entry(room, scene.head, entry_by(room, scene.head, "epoch", [twice.payload()])) == "recipients"


def test_attack_a_link_with_one_wrong_key_gives_nothing(scene: Scene) -> None:
    """Each key of a link is checked by itself: a right K beside a wrong A, a right A beside a wrong K, one too many."""
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).rotate())
    ring, epoch = room.ring(scene.head), room.stream.epochs[2]
    k1, a1, k2, a2 = ring.k(1), ring.a(1), ring.k(2), ring.a(2)
    assert a2 is not None
    key = kdf(a2, "prev", room.id, 2)
    for content, code in (
        ([bytes(32), {1: k1}], "bad-link"),
        ([a1, {1: bytes(32)}], "bad-link"),
        ([a1, {1: k1, 2: k2}], "bad-link"),
        ([a1, {0: None, 1: k1}], "bad-link"),
        ([a1, {}], "bad-link"),
    ):
        prev = aead.encrypt(key, ["prev", room.id, 2, 1], enc(content))
        fresh = KeyRing(room.id, [(2, k2 or b"", a2)])
        with pytest.raises(Reject, match=code):
            walk_back(room.id, replace(epoch, prev=prev), room.stream.epochs, fresh)
        assert [e for e, _, _ in fresh.all()] == [2]


def test_attack_k_and_a_are_fresh_each_by_itself(scene: Scene) -> None:
    drafts = [scene.room.drafter(scene.head).rotate().secrets for _ in range(3)]
    secrets = {s for found in drafts if found is not None for s in found[1:]}
    assert len(secrets) == 6


# -- history and recovery ---------------------------------------------------------------------------------------


def test_attack_history_is_given_later_only_by_one_who_has_it(two: Scene) -> None:
    room = two.room
    third = two.office.hire("Arkivarie")
    room.join(two.head, two.guest, history=False)
    room.join(two.head, third, Role.ADMIN, history=False)
    ident = approved(room, two.head, two.clerk, "hist", two.guest.uid)
    bare = [two.guest.uid, ident, None]
    assert no_entry(room, third, entry_by(room, third, "hist", bare)) == "forbidden"
    assert no_entry(room, two.head, entry_by(room, two.head, "hist", [third.uid, ident, None])) == "proposal"
    room.append(two.head, room.drafter(two.head).set_role(two.clerk.uid, Role.WRITER))
    room.append(two.head, room.drafter(two.head).rotate())
    assert no_entry(room, two.clerk, entry_by(room, two.clerk, "hist", bare)) == "forbidden"


def test_attack_history_is_given_later_only_where_there_is_an_archive(two: Scene) -> None:
    room = two.room
    room.join(two.head, two.guest, history=False)
    ident = approved(room, two.head, two.clerk, "hist", two.guest.uid)
    room.append(two.guest, room.drafter(two.guest).rotate())
    assert not room.stream.epochs[3].has_archive
    bare = entry_by(room, two.head, "hist", [two.guest.uid, ident, None])
    assert no_entry(room, two.head, bare) == "epoch-missing"
    room.append(two.head, room.drafter(two.head).hist(two.guest.uid, ident))
    assert room.stream.members[two.guest.uid].history


def test_attack_an_approved_proposal_of_history_does_not_outlive_a_leave(two: Scene) -> None:
    room = two.room
    room.join(two.head, two.guest, history=False)
    approved(room, two.head, two.clerk, "hist", two.guest.uid)
    room.append(two.guest, room.drafter(two.guest).leave())
    assert room.stream.state.proposals == {}


def test_attack_a_room_owes_a_rotation_after_its_recovery_is_changed(two: Scene) -> None:
    room = two.room
    subject = enc([[b"R" * 16, KemKey(os.urandom(32)).public]])
    approved(room, two.head, two.clerk, "recovery", subject)
    assert room.stream.rotation_owed
    room.append(two.head, room.drafter(two.head).rotate())
    assert not room.stream.rotation_owed
    approved(room, two.head, two.clerk, "recovery", enc([]))
    assert room.stream.rotation_owed, "whoever is no longer a recipient must not open what comes"


def test_attack_recovery_is_used_by_an_administrator_where_policy_names_it(two: Scene) -> None:
    room = two.room
    room.join(two.head, two.guest)
    used: list[object] = [[1], [], b""]
    assert no_entry(room, two.head, entry_by(room, two.head, "recovery_use", used)) == "forbidden"
    approved(room, two.head, two.clerk, "recovery", enc([[b"R" * 16, KemKey(os.urandom(32)).public]]))
    room.append(two.head, room.drafter(two.head).rotate())
    assert no_entry(room, two.guest, entry_by(room, two.guest, "recovery_use", used)) == "forbidden"
    room.append(two.head, entry_by(room, two.head, "recovery_use", used))


def test_attack_an_epoch_for_one_recipient_less_is_no_epoch_of_a_removal(scene: Scene) -> None:
    """The epoch of a removal is for the members who stay: one for all previous members is void."""
    room = scene.room
    everyone = epoch_in(room.drafter(scene.head).rotate())
    draft = entry_by(room, scene.head, "rm", [scene.clerk.uid, 0, b"", everyone.payload()])
    assert no_entry(room, scene.head, draft) == "recipients"
    assert RoomEntry.decode(draft.entries[0][0]).epoch == everyone


def test_attack_nobody_removes_oneself_and_knows_the_next_key(scene: Scene) -> None:
    """A member who removed themselves would make the next epoch and know its key, so a removal is made by a member who
    stays."""
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.OWNER))
    stay = [r for r in room.stream.recipients(scene.office.book) if r.uid != scene.head.uid]
    new = new_epoch(room.id, 2, stay, [], room.ring(scene.head), base=1)
    draft = entry_by(room, scene.head, "rm", [scene.head.uid, 0, b"", new.epoch.payload()])
    assert no_entry(room, scene.head, draft) == "forbidden"


# -- ephemerals -------------------------------------------------------------------------------------------------


def test_attack_an_ephemerals_content_is_bound_to_its_context(scene: Scene) -> None:
    """Signed again by its own author with another counter, time, kind, session or addressee, the content does not
    open."""
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    message = voice.encrypt(scene.head.author, 1, key_of(scene), b"x", NOW)
    parts = dec(message.body, limit=512)
    assert isinstance(parts, list)
    for at, value in ((5, os.urandom(16)), (6, 9), (7, NOW + 1), (8, ephemeral.CARET), (9, scene.clerk.author.dev)):
        body = enc([*parts[:at], value, *parts[at + 1 :]])
        moved = ephemeral.EphemeralMessage(body, scene.head.author.signing.sign(ephemeral.DOMAIN, body), message.ct)
        assert ears.refuses(moved) == "decrypt"
    assert ears.receive(message) == b"x"


def test_attack_many_sessions_in_a_minute_push_out_none_that_the_clock_would_take(scene: Scene) -> None:
    ears = Ears(scene)
    first = ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"1", NOW)
    ears.receive(first)
    for i in range(400):
        now = NOW + i * 200
        ears.receive(
            ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"", now), now
        )
    assert ears.refuses(first, NOW + 80_000) == "ephemeral"
