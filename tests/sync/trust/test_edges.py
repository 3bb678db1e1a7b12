# SPDX-License-Identifier: EUPL-1.2
"""Refusals that no rule's own test reaches: nonsense in an honest place, and ids that do not exist."""

import os

import pytest

from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.errors import BugError, NeedLog, Reject
from sync.ids import Hash, ObjId, RoomId
from sync.protocol.version import MAX_PAYLOAD_BYTES
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import KeyRing, sound_base, walk_back
from sync.trust.person.author import DeviceSecrets, open_puk, puk_payload
from sync.trust.person.user_entry import AGENCY
from sync.trust.person.user_log import UserLog
from sync.trust.room import ephemeral, stream, successor_claim
from sync.trust.room.entries import RoomEntry
from sync.trust.room.entry_drafts import Draft
from sync.trust.room.entry_rules import SEASONED_MS
from sync.trust.room.envelope import ObjectKeys, PlainOp, encrypt_batch, object_of, root_share
from sync.trust.room.payloads import Genesis
from sync.trust.room.room_policy import read_policy, read_recovery
from sync.trust.room.state_codec import decode_state
from sync.trust.room.stream import RoomStream
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by, entry_by, epoch_in
from tests.sync.trust.people import NOW, Book, Room, Someone


def code_of(refused: pytest.ExceptionInfo[Reject]) -> str:
    return refused.value.code


def refused(room: Room, by: Someone, draft: Draft) -> str:
    with pytest.raises(Reject) as e:
        room.append(by, draft)
    return e.value.code


@pytest.fixture
def two(scene: Scene) -> Scene:
    """The clerk is an administrator, for longer than seven days."""
    scene.room.append(scene.head, scene.room.drafter(scene.head).set_role(scene.clerk.uid, Role.ADMIN))
    scene.room.t += SEASONED_MS
    return scene


def proposed(scene: Scene, what: str, subject: bytes) -> Hash:
    """A proposal by the head that the clerk approved."""
    room = scene.room
    draft = room.drafter(scene.head).propose(what, subject)
    room.append(scene.head, draft)
    ident = RoomEntry.decode(draft.entries[0][0]).ident
    room.append(scene.clerk, room.drafter(scene.clerk).approve(ident))
    return ident


# -- people


def test_a_device_without_the_root_shows_nothing_either() -> None:
    secrets = DeviceSecrets.without_root()
    assert (secrets.root, len(secrets.sign), repr(secrets)) == (b"", 32, "DeviceSecrets(…)")


def test_a_device_that_a_generation_was_not_sealed_to_opens_none(scene: Scene) -> None:
    with pytest.raises(Reject) as e:
        open_puk(scene.head.log.puks[0], scene.head.uid, os.urandom(16), KemKey(scene.head.secrets.kem))
    assert code_of(e) == "decrypt"


def test_no_entries_make_no_log() -> None:
    with pytest.raises(Reject) as e:
        UserLog.replay([], bytes(32))
    assert code_of(e) == "malformed"


def test_attack_the_agency_brings_no_generation_with_a_revocation(scene: Scene) -> None:
    """Otherwise the agency would choose the next key that everything is sealed to."""
    head = scene.head
    payload = [head.author.dev, [], puk_payload(head.log, os.urandom(32), head.puk_seed, but=head.author.dev)]
    with pytest.raises(Reject) as e:
        head.log.apply(*head.entry(AGENCY, scene.office.agency.key, "dev_revoke", payload))
    assert code_of(e) == "malformed"


# -- a room


def test_history_is_given_to_no_stranger(two: Scene) -> None:
    ident = proposed(two, "hist", two.guest.uid)
    with pytest.raises(Reject) as e:
        two.room.drafter(two.head).hist(two.guest.uid, ident)
    assert code_of(e) == "not-member"
    draft = entry_by(two.room, two.head, "hist", [two.guest.uid, ident, None])
    assert refused(two.room, two.head, draft) == "not-member"


def test_what_is_approved_is_not_approved_again(two: Scene) -> None:
    ident = proposed(two, "history", b"from-now")
    assert refused(two.room, two.clerk, two.room.drafter(two.clerk).approve(ident)) == "proposal"


@pytest.mark.parametrize(("what", "subject"), [("history", b"some"), ("other", b"")])
def test_a_proposal_of_unknown_content_is_malformed(scene: Scene, what: str, subject: bytes) -> None:
    assert refused(scene.room, scene.head, scene.room.drafter(scene.head).propose(what, subject)) == "malformed"


def test_a_policy_is_not_changed_by_an_entry_whose_epoch_does_not_count(scene: Scene) -> None:
    room = scene.room
    epoch = epoch_in(room.drafter(scene.head).rotate()).payload()
    draft = entry_by(room, scene.head, "policy", [{"suite": 2}, [9, *epoch[1:]]])
    assert refused(room, scene.head, draft) == "stale"
    assert "suite" not in room.stream.state.policy
    room.append(scene.head, entry_by(room, scene.head, "policy", [{"suite": 2}, None]))
    assert room.stream.state.policy["suite"] == 2


def test_an_epoch_that_pins_another_head_does_not_count(scene: Scene) -> None:
    room = scene.room
    epoch = epoch_in(room.drafter(scene.head).rotate()).payload()
    pins = [[scene.clerk.uid, scene.clerk.log.seq, bytes(32)]]
    assert refused(room, scene.head, entry_by(room, scene.head, "epoch", [[*epoch[:9], pins]])) == "ulog"


def test_nothing_is_judged_without_the_log_of_each_recipient(scene: Scene) -> None:
    room = scene.room
    client = room.client()
    room.append(scene.head, room.drafter(scene.head).rotate())
    known = Book()
    known.logs = {scene.head.uid: scene.head.log}
    with pytest.raises(NeedLog) as e:
        client.accept(room.items[client.n :], known, room.rh_at)
    assert e.value.uid == scene.clerk.uid


def test_a_room_of_readers_alone_gets_no_owner_when_the_only_one_is_reset(scene: Scene) -> None:
    room = scene.room
    room.append(scene.head, room.drafter(scene.head).set_role(scene.clerk.uid, Role.READER))
    room.append(scene.head, room.drafter(scene.head).rotate())
    scene.head.write(AGENCY, scene.office.agency.key, "reset", [])
    room.append(scene.clerk, room.drafter(scene.clerk).pin([scene.head.uid]))
    assert [m.role for m in room.stream.members.values()] == [Role.READER]


@pytest.mark.parametrize(("change", "code"), [({"flags": 1}, "format"), ({"suite": 1}, "suite")])
def test_a_bit_or_suite_that_nobody_knows_is_void(scene: Scene, change: dict[str, object], code: str) -> None:
    with pytest.raises(Reject) as e:
        scene.room.push(batch_by(scene.room, scene.clerk, [change]))
    assert code_of(e) == code


def test_a_long_slice_that_is_refused_at_its_end_leaves_the_newest_position_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slice is longer than the running hashes that are remembered, so that all of these were the slice's."""
    monkeypatch.setattr(stream, "_RECENT", 2)
    room = scene.room
    client = room.client()
    for text in (b"1", b"2", b"3"):
        room.push(room.seal(scene.clerk, text))
    items = room.items[client.n :]
    at = client.n, client.rh
    with pytest.raises(Reject):
        client.accept([*items, items[-1]], room.office.book, room.rh_at)
    assert (client.n, client.rh) == at
    client.accept(items, room.office.book, room.rh_at)
    assert client.rh == room.stream.rh


# -- epochs and envelopes


def test_without_any_archive_key_there_is_nothing_to_link_to(scene: Scene) -> None:
    own = scene.room.id
    assert sound_base(own, scene.room.stream.epochs, KeyRing(own)) is None


def test_a_link_to_an_epoch_that_is_not_there_is_a_bad_one(scene: Scene) -> None:
    room = scene.room
    draft = room.drafter(scene.head).rotate()
    room.append(scene.head, draft)
    newest = room.stream.epochs[2]
    with pytest.raises(Reject) as e:
        walk_back(room.id, newest, {2: newest}, room.ring(scene.head))
    assert code_of(e) == "bad-link"


def test_what_holds_keys_shows_none(scene: Scene) -> None:
    room = scene.room
    op = PlainOp(ObjId(room.id), b"k" * 32, b"", b"hemligt")
    draft = room.drafter(scene.head)
    shown = [repr(x) for x in (op, ObjectKeys(room.id), draft.rotate(), draft._new_epoch({}, {}))]
    assert shown[1:] == ["ObjectKeys(…)", "Draft(entries=1, seals=2)", "NewEpoch(2)"]
    assert "hemligt" not in shown[0]
    assert "kkkk" not in shown[0]


def test_a_payload_for_a_blob_is_never_sealed_as_an_op(scene: Scene) -> None:
    s, own = scene.room.stream, scene.room.id
    op = PlainOp(ObjId(own), root_share(own), b"", bytes(MAX_PAYLOAD_BYTES + 1025))
    for ops in ([op], []):
        with pytest.raises(BugError):
            encrypt_batch(scene.head.author, own, 1, (s.n, s.rh), 1, bytes(32), ops)


def test_an_ephemeral_message_of_an_epoch_without_key_here_is_dropped(scene: Scene) -> None:
    room, author = scene.room, scene.head.author
    message = ephemeral.EphemeralSender(room.id).encrypt(author, 1, bytes(32), b"x", NOW)
    with pytest.raises(Reject) as e:
        ephemeral.EphemeralReceiver(room.id, bytes(16)).decrypt(
            message, lambda uid, dev: author.signing.public, lambda e: None, NOW
        )
    assert code_of(e) == "ephemeral"


# -- small formats


def test_a_room_that_continues_none_has_no_origin() -> None:
    assert successor_claim.origin(Genesis(nonce=bytes(32), policy={}, predecessor=None)) is None


def test_a_policy_enables_nothing_but_extensions_kinds_and_types() -> None:
    with pytest.raises(Reject) as e:
        read_policy({"format": {"other": []}})
    assert code_of(e) == "malformed"


def test_a_recovery_recipient_is_named_once() -> None:
    row = [bytes(16), KemKey(bytes(32)).public]
    assert read_recovery([row]) == [tuple(row)]
    with pytest.raises(Reject) as e:
        read_recovery([row, row])
    assert code_of(e) == "malformed"


def test_an_objects_id_covers_its_room_and_share() -> None:
    room, share = RoomId(bytes(16)), bytes(32)
    assert object_of(room, share) == H("object", room, share)[:16]


@pytest.mark.parametrize("data", [b"\x00", b"\x80", b"\x81\x04"])
def test_a_stored_state_of_another_version_is_not_read(data: bytes) -> None:
    with pytest.raises(Reject) as e:
        decode_state(data)
    assert code_of(e) == "format"


def test_a_stream_begins_at_its_first_position() -> None:
    assert (RoomStream(RoomId(bytes(16))).n, RoomStream(None).rh) == (0, bytes(32))
