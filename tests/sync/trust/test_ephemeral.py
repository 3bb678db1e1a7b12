# SPDX-License-Identifier: EUPL-1.2
"""Ephemeral messages (sent to the devices that are online, stored by none): what a receiver takes, ignores and
refuses."""

from dataclasses import replace

import pytest

from sync.crypto.encoding import dec, enc
from sync.errors import BugError, Reject
from sync.ids import RoomId, Uid
from sync.protocol.version import CLOCK_TOLERANCE_MS
from sync.trust.formats.items import Role
from sync.trust.room import ephemeral
from tests.sync.trust.conftest import Scene
from tests.sync.trust.people import NOW

ROOM = RoomId(b"rum" + bytes(13))


class Ears:
    """A receiver of ephemeral messages in the scene's room."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.listener = ephemeral.EphemeralReceiver(scene.room.id, scene.clerk.author.dev)

    def receive(self, message: ephemeral.EphemeralMessage, now: int = NOW) -> bytes:
        opened = self.open(message, now)
        assert opened is not None
        return opened

    def open(self, message: ephemeral.EphemeralMessage, now: int = NOW) -> bytes | None:
        """None for what is ignored."""

        def sign_pk(uid: Uid, dev: bytes) -> bytes | None:
            log = self.scene.office.book.log(uid)
            device = log.device_active(dev, log.seq) if log and uid in self.scene.room.stream.members else None
            return device.sign_pk if device else None

        ring, stream = self.scene.room.ring(self.scene.clerk), self.scene.room.stream
        opened = self.listener.decrypt(message, sign_pk, ring.k, now, stream.role_of)
        return None if opened is None else opened[1]

    def refuses(self, message: ephemeral.EphemeralMessage, now: int = NOW) -> str:
        with pytest.raises(Reject) as e:
            self.receive(message, now)
        return e.value.code


def key_of(scene: Scene) -> bytes:
    k = scene.room.ring(scene.head).k(1)
    assert k is not None
    return k


def test_an_ephemeral_is_received_once(scene: Scene) -> None:
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    first = voice.encrypt(scene.head.author, 1, key_of(scene), "skriver … 🙂".encode(), NOW)
    second = voice.encrypt(scene.head.author, 1, key_of(scene), b"2", NOW)
    assert ears.receive(first).decode() == "skriver … 🙂"
    assert ears.refuses(first) == "ephemeral"
    assert ears.receive(second) == b"2"
    assert ears.refuses(first) == "ephemeral"


def test_attack_an_older_session_is_not_replayed_after_a_newer(scene: Scene) -> None:
    ears = Ears(scene)
    old = ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"1", NOW)
    new = ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"2", NOW)
    ears.receive(old)
    ears.receive(new)
    assert ears.refuses(old) == "ephemeral"


def test_attack_a_session_is_forgotten_only_when_the_clock_refuses_it(scene: Scene) -> None:
    ears = Ears(scene)
    first = ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"1", NOW)
    ears.receive(first)
    for i in range(600):
        now = NOW + i * 500
        ears.receive(
            ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"", now), now
        )
        assert ears.refuses(first, now) == "ephemeral"


def test_attack_no_device_begins_sessions_without_end(scene: Scene) -> None:
    """Each would be remembered for four minutes, and a member and a server together can send any number."""
    ears, k = Ears(scene), key_of(scene)

    def begun(now: int = NOW) -> ephemeral.EphemeralMessage:
        return ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, k, b"", now)

    voice = ephemeral.EphemeralSender(scene.room.id)
    ears.receive(voice.encrypt(scene.head.author, 1, k, b"", NOW))
    for _ in range(999):
        ears.receive(begun())
    assert ears.refuses(begun()) == "ephemeral"
    assert ears.receive(voice.encrypt(scene.head.author, 1, k, b"2", NOW)) == b"2"
    later = NOW + 2 * CLOCK_TOLERANCE_MS + 1
    assert ears.receive(begun(later), later) == b""


@pytest.mark.parametrize("off", [CLOCK_TOLERANCE_MS + 1, -CLOCK_TOLERANCE_MS - 1])
def test_attack_an_ephemeral_of_another_time_is_dropped(scene: Scene, off: int) -> None:
    message = ephemeral.EphemeralSender(scene.room.id).encrypt(scene.head.author, 1, key_of(scene), b"", NOW + off)
    assert Ears(scene).refuses(message) == "ephemeral"


def test_attack_an_ephemeral_of_a_stranger_or_a_revoked_device_is_dropped(scene: Scene) -> None:
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    assert ears.refuses(voice.encrypt(scene.guest.author, 1, key_of(scene), b"", NOW)) == "ephemeral"
    message = voice.encrypt(scene.clerk.author, 1, key_of(scene), b"", NOW)
    scene.clerk.revoke(0, scene.office.agency)
    assert ears.refuses(message) == "ephemeral"


def test_attack_a_changed_ephemeral_is_dropped(scene: Scene) -> None:
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    message = voice.encrypt(scene.head.author, 1, key_of(scene), b"x", NOW)
    parts = dec(message.body, limit=512)
    assert isinstance(parts, list)
    for at, value in ((2, 2), (6, 9), (7, NOW + 1), (8, ephemeral.CARET), (9, scene.clerk.author.dev)):
        body = enc([*parts[:at], value, *parts[at + 1 :]])
        assert ears.refuses(replace(message, body=body)) == "signature"
    assert ears.refuses(replace(message, ct=message.ct[:-1] + bytes([message.ct[-1] ^ 1]))) == "ephemeral"
    assert ears.refuses(voice.encrypt(scene.head.author, 1, bytes(32), b"x", NOW)) == "decrypt"
    other = ephemeral.EphemeralSender(ROOM).encrypt(scene.head.author, 1, key_of(scene), b"x", NOW)
    assert ears.refuses(other) == "ephemeral"


def test_attack_a_kind_the_role_may_not_send_is_dropped(scene: Scene) -> None:
    scene.room.join(scene.head, scene.guest, Role.READER)
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    for kind, may in ((ephemeral.PRESENCE, True), (ephemeral.TYPING, False), (ephemeral.LIVE, False)):
        message = voice.encrypt(scene.guest.author, 1, key_of(scene), b"", NOW, kind)
        if may:
            ears.receive(message)
        else:
            assert ears.refuses(message) == "ephemeral"


def test_a_kind_of_a_newer_program_is_ignored(scene: Scene) -> None:
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)
    assert ears.open(voice.encrypt(scene.head.author, 1, key_of(scene), "ny sort å 🙂".encode(), NOW, 9)) is None
    assert ears.receive(voice.encrypt(scene.head.author, 1, key_of(scene), b"x", NOW)) == b"x"


def test_attack_an_ephemeral_to_another_device_is_dropped(scene: Scene) -> None:
    """A server that passes it on to all the same shows it to nobody whom its sender did not mean."""
    ears, voice = Ears(scene), ephemeral.EphemeralSender(scene.room.id)

    def to(dev: bytes) -> ephemeral.EphemeralMessage:
        return voice.encrypt(scene.head.author, 1, key_of(scene), b"x", NOW, ephemeral.CALL, dev)

    for other in (scene.guest.author.dev, scene.head.author.dev, bytes(16)):
        assert ears.refuses(to(other)) == "ephemeral"
    assert ears.receive(to(scene.clerk.author.dev)) == b"x"
    assert ears.receive(to(ephemeral.TO_ALL)) == b"x"


def test_an_ephemeral_names_no_device_or_one(scene: Scene) -> None:
    voice = ephemeral.EphemeralSender(scene.room.id)
    for odd in (b"d", bytes(15), bytes(17), bytes(32), "", None, 0):
        context = [2, scene.room.id, 1, *[bytes(16)] * 3, 1, NOW, ephemeral.CALL, odd, bytes(32)]
        with pytest.raises(Reject) as e:
            ephemeral.read(enc(context))
        assert e.value.code == "malformed"
    with pytest.raises(BugError):
        voice.encrypt(scene.head.author, 1, key_of(scene), b"x", NOW, ephemeral.CALL, b"d")


def test_an_ephemeral_of_another_version_is_refused(scene: Scene) -> None:
    first = [scene.room.id, 1, *[bytes(16)] * 3, 1, NOW, ephemeral.CARET]
    for body, code in (
        ([1, *first, bytes(32)], "old-format"),
        ([1, *first, b"", bytes(32)], "old-format"),
        ([2, *first, bytes(32)], "malformed"),
        ([3, *first, b"", b"more", bytes(32)], "format"),
    ):
        with pytest.raises(Reject) as e:
            ephemeral.read(enc(body))
        assert e.value.code == code
