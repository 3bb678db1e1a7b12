# SPDX-License-Identifier: EUPL-1.2
"""The bytes of a card's key slot, pinned: a slot that was stored once opens for ever. Computed here by other code."""

import base64
import struct

from cbor2 import dumps, loads
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.store import card_slot
from app.store.slot_file import Slot, SlotKind
from sync.crypto import aead
from sync.crypto.card import ECDH, derive_key

PROFILE, RAW_KEY = b"P" * 16, bytes(range(32))
CARD = ec.derive_private_key(int.from_bytes(b"k" * 32, "big") % 2**255, ec.SECP256R1())
STORED = base64.b64decode(
    "S05TTE9UAQMBAIkBcVRqw6Ruc3Rla29ydCDwn5mCZDAxMjNBRVhbMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEny4nmjrsKCYh"
    "Fbtt+jI2vWfWMkxg35OXTW4CxGM8v7ghIAzotDl3mSqY4ccS/YGH6vlULbXwUmf2/MCdxSPJYANYQQT/rKciCEUWAf7WQFNHo8m2"
    "/YzegpTT9ARjKnLQBpy76jxx0Z4TlQN4hPRLZvfPIhhhTUz1fqFi1VZ4BOn3ClKzWCBTYUDvg+zeztiEe8Lr7ge1yj+NoowEzEKV"
    "ZECX8peeD1ggkxEFCJhjs0XZa2LI41TYbfkwJKNmv0Fq2ivEu7Zp76gvSh3zsnX6g3zdbYqG0bWCz1t1PKwOsX2jFR9whfegdKFe"
    "OcpH9rD2vpzth+qrBONnI6RcYCzZv8FjKMgk39PXPz6KFvQSExTy2T7/w1QcWJiqKRemTdVUbV0z7fCju/cqpVzlftcG0A=="
)


def secret(blob: bytes) -> bytes:
    """What the card gives back."""
    return CARD.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CARD.curve, blob))


def test_a_slot_that_was_stored_once_opens() -> None:
    slot = Slot.parse(SlotKind.CARD, STORED)
    assert slot.to_bytes() == STORED
    params = card_slot.parse(slot.params)
    assert params.to_bytes() == slot.params
    assert (params.token.label, params.token.serial, params.key_id, params.method) == (
        "Tjänstekort 🙂", "0123", b"\x45", ECDH,
    )  # fmt: skip
    wrapping = derive_key(params.public, params.blob, secret(params.blob))
    assert aead.decrypt(wrapping, ["kansli slot", PROFILE, "card", slot.params], slot.sealed) == RAW_KEY
    assert params.proof == params.proof_for(RAW_KEY, PROFILE)


def test_its_parts_are_what_the_documents_say() -> None:
    magic, version, kind, length = struct.unpack_from(">6sBBH", STORED)
    assert (magic, version, kind) == (b"KNSLOT", 1, 3)
    fields = loads(STORED[10 : 10 + length])
    number, _, _, _, public, method, blob, proof, checksum = fields
    assert (number, method) == (1, 3)
    assert public == CARD.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = dumps(["kansli/v1", "card", _sha256(b"card-key" + public), blob])
    ours = derive_key(public, blob, secret(blob))
    assert HKDF(SHA256(), 32, salt=None, info=info).derive(secret(blob)) == ours
    proven = dumps(["kansli/v1", "card slot", PROFILE, dumps(fields[:7])])
    assert HKDFExpand(SHA256(), 32, proven).derive(RAW_KEY) == proof
    assert checksum == _sha256(b"card-slot" + dumps(fields[:8]))


def _sha256(data: bytes) -> bytes:
    digest = Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()
