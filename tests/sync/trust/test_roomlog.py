# SPDX-License-Identifier: EUPL-1.2
"""Which member may post which entry: members, roles, a room that owes a rotation, two administrators, and a reset."""

import os

import pytest

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.errors import Reject
from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import ENTRY, Role, item_id
from sync.trust.keys.epochs import RECOVERY, open_seal
from sync.trust.person.agency import Agency
from sync.trust.person.user_entry import AGENCY
from sync.trust.room.entries import DOMAIN, RoomEntry
from sync.trust.room.entry_drafts import Draft, new_room
from sync.trust.room.entry_rules import SEASONED_MS
from sync.trust.room.stream import AcceptedEntry, RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW, Office, Room, Someone


def refused(room: Room, by: Someone, draft: Draft) -> str:
    """The server's code. A client that is shown the entry nevertheless judges it void with the same code."""
    with pytest.raises(Reject) as e:
        room.append(by, draft)
    client = room.client()
    members, epoch = client.members, client.epoch
    verdict = client.accept(room.forced_entry(draft), room.office.book, room.rh_at)[-1].void
    assert verdict == e.value.code
    assert (client.members, client.epoch) == (members, epoch), "void: never applied"
    return e.value.code


# -- adding -----------------------------------------------------------------------------------------------------


def test_a_new_room_has_its_founder_as_owner_and_epoch_one(scene: Scene) -> None:
    room = Room.founded(scene.office, scene.clerk)
    (member,) = room.stream.members.values()
    assert (member.role, member.history, room.stream.epoch, room.stream.rotation_owed) == (Role.OWNER, True, 1, False)


def test_an_add_with_history_is_one_small_entry_and_one_seal(scene: Scene) -> None:
    draft = scene.room.drafter(scene.head).add(scene.guest.uid, Role.WRITER, history=True)
    assert len(draft.seals) == 1
    assert len(draft.entries[0][0]) < 400
    scene.room.append(scene.head, draft)
    assert (scene.room.stream.epoch, scene.room.stream.members[scene.guest.uid].history) == (1, True)


def test_attack_a_from_now_add_is_one_entry_with_its_rotation(scene: Scene) -> None:
    room = scene.room
    draft = room.drafter(scene.head).add(scene.guest.uid, Role.WRITER, history=False)
    room.append(scene.head, draft)
    assert (room.stream.epoch, len(draft.seals)) == (2, 3)
    third = scene.office.hire("Arkivarie")
    log = third.log
    bare = room.any_entry(scene.head, "add", [third.uid, 2, False, [log.seq, log.head], bytes(32), None])
    assert refused(room, scene.head, bare) == "epoch-missing"


@pytest.mark.parametrize(("role", "may"), [(Role.READER, False), (Role.WRITER, False), (Role.ADMIN, True)])
def test_attack_only_administrators_add(scene: Scene, role: Role, may: bool) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, role)
    third = scene.office.hire("Arkivarie")
    draft = room.drafter(scene.guest).add(third.uid, Role.READER, history=True)
    if may:
        room.append(scene.guest, draft)
    else:
        assert refused(room, scene.guest, draft) == "forbidden"


def test_attack_nobody_gives_a_role_above_the_own(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN)
    third = scene.office.hire("Arkivarie")
    assert refused(room, scene.guest, room.drafter(scene.guest).add(third.uid, Role.OWNER, history=True)) == "forbidden"


def test_attack_a_person_who_is_not_bound_is_not_added(scene: Scene) -> None:
    room, log = scene.room, scene.guest.log
    early = [scene.guest.uid, 2, True, [1, log.heads[1]], bytes(32), None]
    assert refused(room, scene.head, room.any_entry(scene.head, "add", early)) == "not-ready"


def test_a_member_is_not_added_twice(scene: Scene) -> None:
    draft = scene.room.drafter(scene.head).add(scene.clerk.uid, Role.WRITER, history=True)
    assert refused(scene.room, scene.head, draft) == "member"


def test_attack_one_without_history_cannot_give_it(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN, history=False)
    third = scene.office.hire("Arkivarie")
    with pytest.raises(Reject, match="forbidden"):
        room.drafter(scene.guest).add(third.uid, Role.WRITER, history=True)
    payload = [third.uid, 2, True, [third.log.seq, third.log.head], bytes(32), None]
    assert refused(room, scene.guest, room.any_entry(scene.guest, "add", payload)) == "forbidden"


def test_a_room_may_keep_its_history_from_all_newcomers() -> None:
    office = Office()
    head, guest = office.hire("Enhetschef"), office.hire("Handläggare")
    room = Room(office, RoomStream(None))
    room.append(head, new_room(head.author, office.book, NOW, {"history": "from-now"}))
    assert refused(room, head, room.drafter(head).add(guest.uid, Role.WRITER, history=True)) == "forbidden"
    room.append(head, room.drafter(head).add(guest.uid, Role.WRITER, history=False))


# -- removing and leaving ---------------------------------------------------------------------------------------


def test_a_removal_carries_the_epoch_that_the_removed_cannot_open(scene: Scene) -> None:
    room = scene.room
    draft = room.drafter(scene.head).remove(scene.clerk.uid)
    room.append(scene.head, draft)
    assert (room.stream.epoch, room.stream.rotation_owed) == (2, False)
    room.give_keys(scene.clerk, draft)
    assert room.ring(scene.clerk).k(2) is None


def test_attack_administrators_cannot_touch_owners_and_writers_touch_nobody(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.ADMIN)
    assert refused(room, scene.guest, room.drafter(scene.guest).remove(scene.head.uid)) == "forbidden"
    assert refused(room, scene.clerk, room.drafter(scene.clerk).remove(scene.guest.uid)) == "forbidden"
    assert refused(room, scene.guest, room.drafter(scene.guest).set_role(scene.head.uid, Role.READER)) == "forbidden"
    assert refused(room, scene.guest, room.drafter(scene.guest).set_role(scene.clerk.uid, Role.OWNER)) == "forbidden"
    room.append(scene.guest, room.drafter(scene.guest).remove(scene.clerk.uid))


def test_attack_the_last_owner_cannot_go(scene: Scene) -> None:
    room = scene.room
    assert refused(room, scene.head, room.drafter(scene.head).leave()) == "last-owner"
    assert refused(room, scene.head, room.drafter(scene.head).set_role(scene.head.uid, Role.ADMIN)) == "last-owner"
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.OWNER))
    room.append(scene.head, room.drafter(scene.head).leave())
    assert scene.head.uid not in room.stream.members


def test_attack_a_removal_by_the_removed_is_not_one(scene: Scene) -> None:
    """An `rm` is made by a member who stays. Otherwise the removed member would know the new epoch's key."""
    room = scene.room
    draft = room.any_entry(scene.clerk, "rm", [scene.clerk.uid, 0, b"", _epoch_of(room, scene)])
    assert refused(room, scene.clerk, draft) == "forbidden"


def _epoch_of(room: Room, scene: Scene) -> object:
    entry = RoomEntry.decode(room.drafter(scene.head).rotate().entries[0][0])
    assert entry.epoch is not None
    return entry.epoch.payload()


def test_attack_after_a_leave_only_what_cleans_the_room_gets_a_position(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest)
    room.append(scene.guest, room.drafter(scene.guest).leave())
    d = room.drafter(scene.head)
    for draft in (
        room.any_entry(scene.head, "note", [b"x"]),
        room.any_entry(scene.head, "policy", [{}, None]),
        d.set_role(scene.clerk.uid, Role.ADMIN),
        d.propose("history", b"all"),
        d.destroy(ObjId(os.urandom(16)), Hash(bytes(32)), Hash(bytes(32))),
    ):
        assert refused(room, scene.head, draft) == "rotation-owed"
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.READER))
    room.append(scene.clerk, room.drafter(scene.clerk).cannot_open(1))
    scene.head.rotate_puk()
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.head.uid]))
    room.append(scene.head, room.drafter(scene.head).add(scene.guest.uid, Role.WRITER, history=False))
    assert not room.stream.rotation_owed


def test_a_room_owes_a_rotation_after_a_lowered_role_and_not_after_a_raised_one(scene: Scene) -> None:
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    assert not room.stream.rotation_owed
    room.append(scene.clerk, room.drafter(scene.clerk).set_role(scene.clerk.uid, Role.WRITER))
    assert room.stream.rotation_owed


def test_with_no_writer_left_a_room_stays_readable(scene: Scene) -> None:
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.READER))
    assert refused(room, scene.clerk, room.drafter(scene.clerk).rotate()) == "forbidden"
    assert room.client().n == room.stream.n


def test_attack_two_entries_from_one_head_are_a_conflict(scene: Scene) -> None:
    room = scene.room
    one, two = (room.any_entry(who, "note", [b"x"]) for who in (scene.head, scene.clerk))
    room.append(scene.head, one)
    with pytest.raises(Reject) as e:
        room.append(scene.clerk, two)
    assert e.value.code == "conflict"


def test_a_refused_append_changes_nothing(scene: Scene) -> None:
    room = scene.room
    before = room.stream.to_bytes()
    with pytest.raises(Reject):
        room.append(scene.clerk, room.drafter(scene.clerk).remove(scene.head.uid))
    assert room.stream.to_bytes() == before


# -- two administrators -----------------------------------------------------------------------------------------


@pytest.fixture
def two(scene: Scene) -> Scene:
    """The clerk is an administrator, for longer than seven days."""
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    room.t += SEASONED_MS
    return scene


def proposed(room: Room, by: Someone, what: str, subject: bytes) -> Hash:
    draft = room.drafter(by).propose(what, subject)
    room.append(by, draft)
    return RoomEntry.decode(draft.entries[0][0]).ident


def test_history_is_given_later_only_by_two_administrators(two: Scene) -> None:
    room = two.room
    room.join(two.head, two.guest, history=False)
    room.append(two.head, room.drafter(two.head).rotate())
    assert room.ring(two.clerk).a(3) is None, "the clerk has not opened the new seals yet"
    ident = proposed(room, two.head, "hist", two.guest.uid)
    assert refused(room, two.head, room.drafter(two.head).hist(two.guest.uid, ident)) == "proposal"
    assert refused(room, two.head, room.drafter(two.head).approve(ident)) == "forbidden"
    room.append(two.clerk, room.drafter(two.clerk).approve(ident))
    draft = room.drafter(two.head).hist(two.guest.uid, ident)
    room.append(two.head, draft)
    room.give_keys(two.guest, draft)
    assert room.stream.members[two.guest.uid].history
    assert room.ring(two.guest).a(room.stream.epoch) is not None
    assert refused(room, two.head, room.drafter(two.head).hist(two.guest.uid, ident)) == "proposal"


def test_attack_one_made_administrator_today_cannot_approve(scene: Scene) -> None:
    """The seven days count from the role, not from joining the room."""
    room = scene.room
    room.t += 10 * SEASONED_MS
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    ident = proposed(room, scene.head, "history", b"from-now")
    assert refused(room, scene.clerk, room.drafter(scene.clerk).approve(ident)) == "forbidden"
    room.t += SEASONED_MS
    room.append(scene.clerk, room.drafter(scene.clerk).approve(ident))
    assert room.stream.state.policy["history"] == "from-now"


def test_attack_a_guarded_policy_is_not_changed_by_one(two: Scene) -> None:
    draft = two.room.drafter(two.head).policy({"history": "from-now"})
    assert refused(two.room, two.head, draft) == "forbidden"


def test_attack_the_recovery_recipient_is_in_every_epochs_recipients_and_never_has_history(two: Scene) -> None:
    room, key = two.room, KemKey(os.urandom(32))
    ident = proposed(room, two.head, "recovery", enc([[b"R" * 16, key.public]]))
    room.append(two.clerk, room.drafter(two.clerk).approve(ident))
    draft = room.drafter(two.head).rotate()
    room.append(two.head, draft)
    recovery = [r for r in room.stream.recipients(two.office.book) if r.kind == RECOVERY]
    assert [(r.uid, r.history) for r in recovery] == [(b"R" * 16, False)]
    assert len(draft.seals) == 3
    epoch = room.stream.epochs[2]
    k, a = open_seal(room.id, epoch, Uid(b"R" * 16), 0, key, draft.seals[-1])
    assert draft.secrets is not None
    assert (k, a) == (draft.secrets[1], None)


def test_attack_a_recovery_key_nobody_can_seal_to_is_refused(two: Scene) -> None:
    bad = enc([[b"R" * 16, KemKey(bytes(32)).public[:1184] + bytes(32)]])
    assert refused(two.room, two.head, two.room.drafter(two.head).propose("recovery", bad)) == "bad-key"


# -- pins, revocations, resets ----------------------------------------------------------------------------------


def test_any_member_may_pin_anothers_newer_log(scene: Scene) -> None:
    room = scene.room
    scene.head.rotate_puk()
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.head.uid]))
    assert room.stream.pins[scene.head.uid][0] == 3
    assert not room.stream.rotation_owed, "a new key generation is no revocation"


def test_attack_a_pin_of_another_head_is_void(scene: Scene) -> None:
    draft = scene.room.any_entry(scene.clerk, "pin", [[[scene.head.uid, 2, bytes(32)]]])
    assert refused(scene.room, scene.clerk, draft) == "ulog"


def test_attack_a_pin_of_a_stranger_is_void(scene: Scene) -> None:
    log = scene.guest.log
    draft = scene.room.any_entry(scene.clerk, "pin", [[[log.uid, log.seq, log.head]]])
    assert refused(scene.room, scene.clerk, draft) == "not-member"


def test_a_room_owes_no_second_rotation_for_a_revocation_already_pinned(scene: Scene) -> None:
    room = scene.room
    scene.clerk.add_device()
    scene.clerk.revoke(1, scene.office.agency)
    room.append(scene.head, room.drafter(scene.head).pin([scene.clerk.uid]))
    assert room.stream.rotation_owed
    room.append(scene.head, room.drafter(scene.head).rotate())
    scene.clerk.rotate_puk()
    room.append(scene.head, room.drafter(scene.head).pin([scene.clerk.uid]))
    assert not room.stream.rotation_owed


def test_attack_after_the_agencys_revocation_nothing_is_sealed_to_the_old_key(scene: Scene) -> None:
    room = scene.room
    scene.clerk.add_device()
    scene.clerk.revoke(1, scene.office.agency)
    draft = room.drafter(scene.head).rotate()
    room.append(scene.head, draft)
    assert len(draft.seals) == 1, "the clerk is left out"
    scene.clerk.rotate_puk()
    assert room.client().to_bytes() == room.stream.to_bytes(), "a longer log changes no verdict of the past"
    draft = room.drafter(scene.head).rotate()
    room.append(scene.head, draft)
    assert len(draft.seals) == 2


def reset(person: Someone, agency: Agency) -> None:
    person.write(AGENCY, agency.key, "reset", [])


def test_attack_a_reset_counts_as_leaving_where_it_is_pinned(scene: Scene) -> None:
    room = scene.room
    reset(scene.clerk, scene.office.agency)
    room.append(scene.head, room.drafter(scene.head).pin([scene.clerk.uid]))
    assert scene.clerk.uid not in room.stream.members
    assert room.stream.rotation_owed


def test_an_epoch_that_pins_a_reset_leaves_that_person_out(scene: Scene) -> None:
    room = scene.room
    reset(scene.clerk, scene.office.agency)
    draft = room.drafter(scene.head).rotate()
    room.append(scene.head, draft)
    assert (set(room.stream.members), len(draft.seals), room.stream.rotation_owed) == ({scene.head.uid}, 1, False)


@pytest.mark.parametrize("roles", [(Role.ADMIN, Role.WRITER), (Role.WRITER, Role.READER)])
def test_when_the_only_owner_is_reset_the_longest_standing_inherits(scene: Scene, roles: tuple[Role, Role]) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, roles[1])
    if roles[0] is Role.ADMIN:
        room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    reset(scene.head, scene.office.agency)
    (pinned,) = room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.head.uid]))
    assert room.stream.role_of(scene.clerk.uid) is Role.OWNER
    assert isinstance(pinned, AcceptedEntry)
    assert pinned.heir == (scene.clerk.uid if roles[0] is Role.WRITER else None), "an administrator could do it before"
    room.append(scene.clerk, room.drafter(scene.clerk).rotate())
    assert room.client().to_bytes() == room.stream.to_bytes()


def test_one_whom_an_entry_made_owner_is_no_heir(scene: Scene) -> None:
    (raised,) = scene.room.append(scene.head, scene.room.drafter(scene.head).set_role(scene.clerk.uid, Role.OWNER))
    assert isinstance(raised, AcceptedEntry)
    assert raised.heir is None


# -- every type -------------------------------------------------------------------------------------------------


def test_every_type_has_a_place_and_a_reader_may_post_few(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.READER)
    d = room.drafter(scene.guest)
    obj = ObjId(os.urandom(16))
    for draft in (
        room.any_entry(scene.guest, "note", [b"x"]),
        d.rotate(),
        room.any_entry(scene.guest, "policy", [{}, None]),
        d.propose("history", b"all"),
        d.destroy(obj, Hash(bytes(32)), Hash(bytes(32))),
        room.any_entry(scene.guest, "prune", [obj, 1, bytes(32)]),
        room.any_entry(scene.guest, "recovery_use", [[1], [], b""]),
    ):
        assert refused(room, scene.guest, draft) == "forbidden"
    assert refused(room, scene.guest, d.approve(Hash(bytes(32)))) == "proposal"
    assert refused(room, scene.guest, d.cannot_open(9)) == "epoch-missing"
    room.append(scene.guest, room.drafter(scene.guest).cannot_open(1))


def test_the_root_object_cannot_be_destroyed(scene: Scene) -> None:
    draft = scene.room.drafter(scene.head).destroy(scene.room.id, Hash(bytes(32)), Hash(bytes(32)))
    assert refused(scene.room, scene.head, draft) == "forbidden"


@pytest.mark.parametrize(
    "policy",
    [{"history": "some"}, {"recovery": [[b"x", b"y"]]}, {"format": {"kinds": ["a"]}}, {"suite": 1}, {"annat": 1}],
)
def test_attack_a_policy_with_unknown_content_is_refused(scene: Scene, policy: dict[str, object]) -> None:
    draft = scene.room.drafter(scene.head).policy(policy)
    assert refused(scene.room, scene.head, draft) in ("malformed", "suite")


def test_an_even_extension_is_void_an_odd_one_is_hashed_and_ignored(scene: Scene) -> None:
    room = scene.room
    for ext, verdict in (({1: b"x"}, None), ({2: b"x"}, "format")):
        parts = dec(room.any_entry(scene.clerk, "note", [b"x"]).entries[0][0], limit=4096)
        assert isinstance(parts, list)
        body = enc([*parts[:-1], ext])
        sig = scene.clerk.author.signing.sign(DOMAIN, item_id(ENTRY, body))
        items = room.forced(ENTRY, (body, sig, None))
        assert room.client().accept(items, room.office.book, room.rh_at)[0].void == verdict


def test_a_note_that_is_sealed_stays_sealed_in_the_timeline(scene: Scene) -> None:
    room = scene.room
    room.append(scene.clerk, room.any_entry(scene.clerk, "note", [H("anteckning")]))
    assert room.client().n == room.stream.n


def test_attack_one_whose_device_the_agency_revoked_is_not_added_until_a_newer_key_stands(scene: Scene) -> None:
    room = scene.room
    scene.guest.add_device()
    scene.guest.revoke(1, scene.office.agency)
    with pytest.raises(Reject) as e:
        room.drafter(scene.head).add(scene.guest.uid, Role.WRITER, history=False)
    assert e.value.code == "not-ready"
    log = scene.guest.log
    bare = room.any_entry(scene.head, "add", [log.uid, 2, True, [log.seq, log.head], bytes(32), None])
    assert refused(room, scene.head, bare) == "not-ready"
    scene.guest.rotate_puk()
    room.join(scene.head, scene.guest)


def test_nobody_drafts_an_epoch_without_being_in_it(scene: Scene) -> None:
    room = scene.room
    with pytest.raises(Reject) as e:
        room.drafter(scene.head).remove(scene.head.uid)
    assert e.value.code == "forbidden"
    with pytest.raises(Reject) as e:
        room.drafter(scene.guest).rotate()
    assert e.value.code == "forbidden"
