# SPDX-License-Identifier: EUPL-1.2
"""A room's entries and envelopes, its keys, and what members seal for each other."""

from tests.fuzz import samples
from tests.fuzz.target import Run, Target, coded


def _room_entry() -> Run:
    from sync.errors import Reject
    from sync.trust.room.entries import RoomEntry

    def run(data: bytes) -> None:
        try:
            RoomEntry.decode(data)
        except Reject:
            RoomEntry.decode(data, lenient=True)
        else:
            RoomEntry.decode(data, lenient=True)

    return run


def _room_stream() -> Run:
    """Each item of the vectors' room, changed and signed again by the member it names, where it stands."""
    from sync.crypto.encoding import dec
    from sync.errors import NeedLog, Reject
    from sync.trust.formats.items import ENTRY, ENVELOPE, Item, item_id
    from sync.trust.room.stream import RoomStream

    story = samples.Story()

    def run(data: bytes) -> None:
        at = data[0] % story.length if data else 0
        body, was = data[1:], story.items[at]
        kind = ENTRY if was.kind == ENTRY else ENVELOPE
        stream = RoomStream.from_bytes(story.states[at]) if at else RoomStream(None)
        before = stream.to_bytes() if at else b""
        key = story.signer(dec(body, limit=1 << 20), kind)
        sig = key.sign("room-log" if kind == ENTRY else "op", item_id(kind, body))
        try:
            stream.accept([Item(was.n, was.t, kind, body, sig, was.ct)], story.book)
        except (Reject, NeedLog):
            assert not at or stream.to_bytes() == before
            raise

    return run


def _header() -> Run:
    from sync.trust.room.envelope import Header

    def run(data: bytes) -> None:
        header = Header.decode(data)
        if data.endswith(b"\xa0"):  # without extensions
            assert header.encode() == data

    return run


def _envelope() -> Run:
    from sync.trust.room.envelope import Header, read_body

    def run(data: bytes) -> None:
        Header.decode(read_body(data)[0])

    return run


def _payload() -> Run:
    from sync.trust.room.envelope import pad, unpack, unpad

    def run(data: bytes) -> None:
        assert unpad(pad(data)) == data
        unpack(data)

    return run


def _padding() -> Run:
    from sync.trust.room.envelope import pad, unpad

    def run(data: bytes) -> None:
        assert pad(unpad(data)) == data

    return run


def _note() -> Run:
    """What a member may have put into the note of a removal: encrypted under the true key."""
    from sync.trust.room.removal_notes import MAX_REASON, read_note

    def run(data: bytes) -> None:
        assert len(read_note(data)) <= MAX_REASON

    return run


def _epoch() -> Run:
    from sync.crypto.encoding import dec, enc
    from sync.trust.keys.epochs import Epoch

    def run(data: bytes) -> None:
        assert enc(Epoch.read(dec(data, limit=1 << 20)).payload()) == data

    return run


def _epoch_link() -> Run:
    """What the signer of an epoch may have put into its link: sealed under the true archive key."""
    from dataclasses import replace

    from sync.crypto import aead
    from sync.crypto.kdf import kdf
    from sync.trust.keys.epochs import KeyRing, walk_back
    from sync.trust.room.stream import RoomStream

    story = samples.Story()
    stream = RoomStream.from_bytes(story.states[-1])
    newest = stream.epochs[stream.epoch]
    k, a = story.keys(newest.e)
    key, context = kdf(a, "prev", stream.room, newest.e), ["prev", stream.room, newest.e, newest.base]

    def run(data: bytes) -> None:
        forged = replace(newest, prev=aead.encrypt(key, list(context), data))
        walk_back(stream.room, forged, dict(stream.epochs), KeyRing(stream.room, [(newest.e, k, a)]))

    return run


def _epoch_seal() -> Run:
    from sync.crypto import seal
    from sync.crypto.seal import KemKey
    from sync.trust.keys.epochs import open_seal, seal_info
    from sync.trust.room.stream import RoomStream

    stream = RoomStream.from_bytes(samples.Story().states[-1])
    epoch, puk = stream.epochs[stream.epoch], KemKey(bytes(32))
    uid = next(iter(stream.members))
    info = seal_info(stream.room, epoch.e, epoch.kc, uid, 1)

    def run(data: bytes) -> None:
        sealed = data if len(data) > 200 else seal.seal_to(puk.public, info, data)
        open_seal(stream.room, epoch, uid, 1, puk, sealed)

    return run


def _proof() -> Run:
    from sync.trust.room.signed_receipts import Proof

    def run(data: bytes) -> None:
        proof = Proof.decode(data)
        assert proof.encode() == data
        proof.check(samples.agency().pk)

    return run


def _manifest() -> Run:
    from sync.trust.room.blob_manifest import Manifest

    def run(data: bytes) -> None:
        assert Manifest.decode(data).encode() == data

    return run


def _states() -> Run:
    """A snapshot's piece and an attest, as a member sealed them."""
    from sync.errors import Reject
    from sync.trust.room.snapshots import Attest, Piece, joined

    def run(data: bytes) -> None:
        try:
            piece = Piece.decode(data)
        except Reject as e:
            coded(e)
            assert Attest.decode(data).encode() == data
        else:
            assert piece.encode() == data
            joined([piece])

    return run


def _ephemeral() -> Run:
    """Signed by the member whom it names."""
    from sync.ids import RoomId
    from sync.trust.room import ephemeral

    key, room, now = samples.agency().key, RoomId(b"R" * 16), samples.NOW
    dev = b"D" * 16

    def run(data: bytes) -> None:
        message = ephemeral.EphemeralMessage(data, key.sign(ephemeral.DOMAIN, data), samples.whisper_ct())
        receiver = ephemeral.EphemeralReceiver(room, dev)
        receiver.decrypt(message, lambda uid, dev: key.public, lambda e: bytes([1]) * 32, now)

    return run


TARGETS = (
    Target(name="room-entry", make=_room_entry, seeds=samples.room_entries),
    Target(
        name="room-stream",
        make=_room_stream,
        seeds=samples.room_items,
        refusals=("sync.errors.Reject", "sync.errors.NeedLog"),
        share=3,
    ),
    Target(name="header", make=_header, seeds=samples.headers),
    Target(name="envelope", make=_envelope, seeds=samples.envelopes),
    Target(name="payload", make=_payload, seeds=samples.payloads),
    Target(name="padding", make=_padding, seeds=samples.padded),
    Target(name="note", make=_note, seeds=samples.notes),
    Target(name="epoch", make=_epoch, seeds=samples.epochs),
    Target(name="epoch-link", make=_epoch_link, seeds=samples.links),
    Target(name="epoch-seal", make=_epoch_seal, seeds=samples.seals, share=3),
    Target(name="proof", make=_proof, seeds=samples.proofs),
    Target(name="manifest", make=_manifest, seeds=samples.manifests),
    Target(name="states", make=_states, seeds=samples.states),
    Target(name="ephemeral", make=_ephemeral, seeds=samples.whispers),
)
