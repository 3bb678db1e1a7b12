# SPDX-License-Identifier: EUPL-1.2
"""The reason of a removal: encrypted for the members who stay, bound to its entry, and hidden by its padding."""

from dataclasses import replace

import pytest

from sync.client.room.timeline_events import event_of
from sync.crypto.encoding import enc
from sync.errors import Reject
from sync.ids import Uid
from sync.trust.room.removal_notes import MAX_REASON, EncryptedNote, decrypt_note, encrypt_note, read_note
from sync.trust.room.stream import AcceptedEntry
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import Room

REASON = "Går till en annan enhet, åäö 🙂"


def note_of(room: Room) -> EncryptedNote:
    """What a client keeps of the room's last entry."""
    item = room.client(len(room.items) - 1).accept(room.items[-1:], room.office.book, room.rh_at)[-1]
    assert isinstance(item, AcceptedEntry)
    event = event_of(item)
    assert event is not None
    assert event.note is not None
    return EncryptedNote.decode(event.note)


def removed(scene: Scene, reason: str) -> tuple[EncryptedNote, bytes]:
    """The note of a removal of the clerk, with the key that the removal's epoch gives to those who stay."""
    draft = scene.room.drafter(scene.head).remove(scene.clerk.uid, reason=reason)
    scene.room.append(scene.head, draft)
    assert draft.secrets is not None
    return note_of(scene.room), draft.secrets[1]


def test_attack_a_removals_reason_opens_for_nobody_without_the_new_key(scene: Scene) -> None:
    room = scene.room.stream.room
    old = scene.room.ring(scene.clerk).k(1)
    note, k = removed(scene, REASON)
    assert decrypt_note(k, room, note) == REASON
    assert old is not None
    with pytest.raises(Reject, match="decrypt"):
        decrypt_note(old, room, note)  # all that the removed person has
    raw = b"".join(i.body for i in scene.room.items)  # all that the server has
    assert REASON.encode() not in raw
    assert b"enhet" not in raw


def test_attack_a_note_is_not_repeated_under_another_entry(scene: Scene) -> None:
    room = scene.room.stream.room
    note, k = removed(scene, REASON)
    for other in (
        replace(note, by=scene.guest.uid),
        replace(note, subject=scene.guest.uid),
        replace(note, epoch=note.epoch + 1),
    ):
        with pytest.raises(Reject, match="decrypt"):
            decrypt_note(k, room, other)


def test_a_note_without_a_reason_looks_like_one_with_a_short_reason(scene: Scene) -> None:
    note, k = removed(scene, "")
    assert decrypt_note(k, scene.room.stream.room, note) == ""
    room, uid = scene.room.stream.room, Uid(bytes(16))
    lengths = {len(encrypt_note(k, room, 2, uid, uid, text)) for text in ("", "Kort", REASON)}
    assert lengths == {len(note.sealed)}
    assert len(encrypt_note(k, room, 2, uid, uid, "🙂" * 2 * MAX_REASON)) <= 4096


@pytest.mark.parametrize("text", [[1, b"Kort"], [1, "å" * (MAX_REASON + 1)], [1]])
def test_a_note_of_another_form_is_refused(text: list[object]) -> None:
    with pytest.raises(Reject, match="malformed"):
        read_note(enc(text))


@pytest.mark.parametrize(("version", "code"), [(0, "old-format"), (2, "format"), (True, "format")])
def test_a_note_of_another_version_is_refused(version: object, code: str) -> None:
    with pytest.raises(Reject) as e:
        read_note(enc([version, "Kort"]))
    assert e.value.code == code
