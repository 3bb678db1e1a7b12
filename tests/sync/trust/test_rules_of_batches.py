# SPDX-License-Identifier: EUPL-1.2
"""Rules of envelopes and batches, one by one (PROTOCOL.md, "Rules and their tests")."""

import os
from dataclasses import replace

import pytest

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.errors import BugError, Reject
from sync.ids import ObjId
from sync.protocol.version import MAX_OP_BYTES, MAX_PAYLOAD_BYTES
from sync.trust.formats.items import ENTRY, Role, item_id
from sync.trust.room import blob_manifest, envelope
from sync.trust.room.entries import DOMAIN
from sync.trust.room.envelope import PlainOp, encrypt_batch, read_body
from tests.sync.trust.conftest import Scene
from tests.sync.trust.forging import batch_by, entry_by, signed, with_ext
from tests.sync.trust.people import Someone
from tests.sync.trust.verdicts import not_placed, ops_by, refused, void

NOTHING: dict[str, object] = {}


def spoilt(scene: Scene, tablet: Someone) -> dict[str, dict[str, object]]:
    """One field of a batch's second header changed, by what it breaks."""
    s, old = scene.room.stream, scene.clerk.log.heads[2]
    return {
        "dev": {"dev": tablet.author.dev},
        "uid": {"uid": scene.head.uid},
        "ulog": {"ulog": (2, old)},
        "prev": {"prev": s.next_prev(scene.clerk.uid, scene.clerk.author.dev)},
        "dev_seq twice": {"dev_seq": 1},
        "dev_seq gap": {"dev_seq": 3},
        "seen": {"seen": (s.n - 1, scene.room.rhs[s.n - 1])},
    }


def test_attack_a_batch_is_one_devices_of_one_person_with_one_log(scene: Scene) -> None:
    tablet = scene.clerk.add_device()
    for what in ("dev", "uid", "ulog"):
        ops = batch_by(scene.room, scene.clerk, [NOTHING, spoilt(scene, tablet)[what]])
        assert refused(scene.room, scene.room.forced_ops(ops)) == "chain", what
        assert not_placed(scene.room, ops) == "chain", what


def test_attack_in_a_batch_each_names_the_one_before_and_counts_up(scene: Scene) -> None:
    tablet = scene.clerk.add_device()
    for what in ("prev", "dev_seq twice", "dev_seq gap"):
        ops = batch_by(scene.room, scene.clerk, [NOTHING, spoilt(scene, tablet)[what]])
        assert refused(scene.room, scene.room.forced_ops(ops)) == "chain", what
    scene.room.push(batch_by(scene.room, scene.clerk, [NOTHING, NOTHING]))


def test_attack_inside_a_batch_seen_never_falls(scene: Scene) -> None:
    ops = batch_by(scene.room, scene.clerk, [NOTHING, spoilt(scene, scene.clerk)["seen"]])
    assert refused(scene.room, scene.room.forced_ops(ops)) == "chain"


def test_attack_a_ciphertext_has_the_length_in_its_body(scene: Scene) -> None:
    room = scene.room
    (body,), (ct,) = (honest := room.seal(scene.clerk, b"x")).bodies, honest.cts
    hdr, digest, length = read_body(body)
    ops = signed(scene.clerk, [enc([hdr, digest, length - 1])], [ct])
    assert refused(room, room.forced_ops(ops)) == "content-hash"
    assert not_placed(room, ops) == "content-hash"


def test_attack_a_ciphertext_above_its_cap_is_refused(scene: Scene) -> None:
    room = scene.room
    ops = batch_by(room, scene.clerk, [NOTHING], bytes(MAX_OP_BYTES + 1))
    assert refused(room, room.forced_ops(ops)) == "content-hash"
    assert not_placed(room, ops) == "content-hash"
    room.push(batch_by(room, scene.clerk, [NOTHING], bytes(MAX_OP_BYTES)))


def test_attack_a_length_above_the_cap_is_refused_with_and_without_the_content(scene: Scene) -> None:
    room = scene.room
    for length, verdict in ((MAX_OP_BYTES + 1, "content-hash"), (MAX_OP_BYTES, None)):
        (body,), (ct,) = (honest := room.seal(scene.clerk, b"x")).bodies, honest.cts
        hdr, digest, _ = read_body(body)
        (item,) = room.forced_ops(signed(scene.clerk, [enc([hdr, digest, length])], [ct]))
        for headers_only in (True, False):
            client, bare = room.client(), replace(item, ct=None)
            if verdict is None:
                client.accept([bare], room.office.book, room.rh_at, headers_only=headers_only)
                continue
            with pytest.raises(Reject) as e:
                client.accept([bare], room.office.book, room.rh_at, headers_only=headers_only)
            assert e.value.code == verdict


def test_attack_an_even_extension_of_an_envelope_is_void(scene: Scene) -> None:
    room = scene.room
    for ext, verdict in (({1: b"x"}, None), ({2: b"x"}, "format")):
        ops = with_ext(scene.clerk, ops_by(room, scene.clerk), ext)
        assert void(room, room.forced_ops(ops)) == verdict
    assert not_placed(room, with_ext(scene.clerk, ops_by(room, scene.clerk), {2: b"x"})) == "format"
    room.append(scene.head, room.drafter(scene.head).policy({"format": {"ext": [2]}}))
    enabled = with_ext(scene.clerk, ops_by(room, scene.clerk), {2: b"x"})
    assert refused(room, room.forced_ops(enabled)) == "format"


@pytest.mark.parametrize(
    ("enabled", "needed"), [([2], False), ([4], False), ([2, 4], True)], ids=["the first", "the second", "both"]
)
def test_attack_an_update_is_needed_only_if_all_unknown_features_of_an_item_are_enabled(
    scene: Scene, enabled: list[int], *, needed: bool
) -> None:
    """Otherwise programs that know different ones of them would judge it differently."""
    room, ext = scene.room, {2: b"x", 4: b"y"}
    room.append(scene.head, room.drafter(scene.head).policy({"format": {"ext": enabled}}))
    parts = dec(entry_by(room, scene.clerk, "note", [b"x"]).entries[0][0], limit=4096)
    assert isinstance(parts, list)
    body = enc([*parts[:-1], ext])
    sig = scene.clerk.author.signing.sign(DOMAIN, item_id(ENTRY, body))
    entry = room.forced(ENTRY, (body, sig, None))
    envelopes = room.forced_ops(with_ext(scene.clerk, ops_by(room, scene.clerk), ext))
    for items in (entry, envelopes):
        assert (refused(room, items) if needed else void(room, items)) == "format"


def test_attack_more_than_192_kib_is_never_sealed(scene: Scene) -> None:
    room, s = scene.room, scene.room.stream
    prev = s.next_prev(scene.clerk.uid, scene.clerk.author.dev)
    op = PlainOp(ObjId(room.id), bytes(32), b"", bytes(MAX_PAYLOAD_BYTES + 1025))
    with pytest.raises(BugError):
        encrypt_batch(scene.clerk.author, room.id, s.epoch, (s.n, s.rh), 1, prev, [op])


def test_attack_a_void_envelope_is_still_the_devices_last(scene: Scene) -> None:
    room, office = scene.room, scene.office
    client = room.client()
    wrong = room.forced_ops(ops_by(room, scene.clerk, epoch=7))
    client.accept(wrong, office.book, room.rh_at)
    tail = client.device_heads[scene.clerk.author.dev]
    assert (tail.dev_seq, client.next_prev(scene.clerk.uid, scene.clerk.author.dev)) == (1, tail.ident)
    again = ops_by(room, scene.clerk, seen=(room.stream.n, room.stream.rh), first_seq=2)
    (item,) = room.forced_ops(again)
    with pytest.raises(Reject, match="chain"):
        client.accept([type(item)(client.n + 1, item.t, item.kind, item.body, item.sig, item.ct)], office.book)


def test_attack_a_reader_makes_no_snapshot(scene: Scene) -> None:
    room = scene.room
    room.join(scene.head, scene.guest, Role.READER)
    assert void(room, room.forced_ops(ops_by(room, scene.guest, kind=envelope.SNAPSHOT))) == "forbidden"
    assert void(room, room.forced_ops(ops_by(room, scene.clerk, kind=envelope.SNAPSHOT))) is None


def test_attack_a_part_filled_with_anything_but_zeros_is_refused(scene: Scene) -> None:
    room = scene.room.id
    part, _ = blob_manifest.encrypt_part(room, b"kort", last=True)
    filled = aead.encrypt(part.key, ["part", room, part.part], b"kort" + os.urandom(252))
    with pytest.raises(Reject, match="padding"):
        blob_manifest.decrypt_part(room, replace(part, digest=H(filled)), filled)
