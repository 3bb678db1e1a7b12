# SPDX-License-Identifier: EUPL-1.2
"""The building blocks of sync/crypto/CRYPTO.md, written from that page alone.

Nothing here comes from sync/: `cryptography` has the primitives, cbor2 the encoding. AEAD and SEAL are built from
AES-GCM, HKDF, ML-KEM and X25519, so that our output is read by a different construction.
"""

import hashlib
import hmac
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHUNK = 16 * 1024
TAG = 16
MAX_DEPTH = 8
KEM_HYBRID = 0x647A
AEADS: dict[int, Any] = {2: AESGCM, 3: ChaCha20Poly1305}


class Refused(Exception):
    """The data does not match the documents."""


# -- encoding


def enc(value: object) -> bytes:
    """Encodes a value. Maps of one key type have one order, which is that of cbor2's canonical form."""
    return cbor2.dumps(value, canonical=True)


def dec(data: bytes) -> Any:
    """Decodes `data`. Refused if it is not the one encoding of its value."""
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, ValueError, RecursionError) as e:
        raise Refused("encoding") from e
    _check_profile(value, 0)
    if enc(value) != data:
        raise Refused("encoding")
    return value


def _check_profile(value: object, depth: int) -> None:
    inner: list[object] = []
    if type(value) is list:
        inner = value
    elif type(value) is dict:
        if {type(k) for k in value} not in (set(), {int}, {str}):
            raise Refused("keys")
        inner = [*value, *value.values()]
    elif value is None or type(value) in (bool, bytes, str) or (type(value) is int and 0 <= value < 2**64):
        return
    else:
        raise Refused("value")
    if depth >= MAX_DEPTH:
        raise Refused("depth")
    for item in inner:
        _check_profile(item, depth + 1)


# -- hash, keys, signatures


def H(*parts: bytes | str) -> bytes:
    return hashlib.sha256(b"".join(p.encode() if isinstance(p, str) else p for p in parts)).digest()


def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")


def KDF(key: bytes, label: str, *context: object, length: int = 32) -> bytes:
    """HKDF-Expand-SHA256, written out (RFC 5869 §2.3)."""
    info, made, block = enc(["kansli/v1", label, *context]), b"", b""
    for i in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes((i,)), "sha256")
        made += block
    return made[:length]


def signing_pk(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, domain: str, message: object) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(enc(["kansli/v1", domain, message]))


def verify(public: bytes, domain: str, message: object, sig: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(sig, enc(["kansli/v1", domain, message]))
    except (InvalidSignature, ValueError) as e:
        raise Refused(f"signature, {domain}") from e


# -- AEAD


def aead_open(key: bytes, context: list[object], sealed: bytes) -> bytes:
    """Cobblestone-256."""
    return chunked_open(hashes.SHA512(), key, enc(context), sealed)


def chunked_open(algorithm: hashes.HashAlgorithm, key: bytes, context: bytes, sealed: bytes) -> bytes:
    """C2SP chunked encryption with AES-256-GCM: salt 24 ‖ commitment 32 ‖ chunks, the last one shorter than full."""
    salt, commitment, body = sealed[:24], sealed[24:56], sealed[56:]
    if len(key) != 32:
        raise Refused("key")
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    made = HKDFExpand(algorithm, 32 + 12 + 32, info).derive(key)
    if made[44:] != commitment:
        raise Refused("commitment")
    nonce, out = int.from_bytes(made[32:44], "big"), []
    for i in range(len(body) // (CHUNK + TAG) + 1):
        chunk = body[i * (CHUNK + TAG) : (i + 1) * (CHUNK + TAG)]
        out.append(_aead(2, made[:32], (nonce ^ i).to_bytes(12, "big"), chunk, None))
    return b"".join(out)


def _aead(ident: int, key: bytes, nonce: bytes, sealed: bytes, aad: bytes | None) -> bytes:
    try:
        opened: bytes = AEADS[ident](key).decrypt(nonce, sealed, aad)
    except InvalidTag as e:
        raise Refused("tag") from e
    return opened


# -- SEAL


class KemKey:
    """A key pair that messages are sealed to, from 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        material = hashlib.shake_256(seed).digest(96)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(material[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(material[64:])
        self._x_public = self._x25519.public_key().public_bytes_raw()
        self.public = self._mlkem.public_key().public_bytes_raw() + self._x_public

    def open(self, info: bytes, sealed: bytes) -> bytes:
        return hpke_open(KEM_HYBRID, 2, self.shared(sealed[:1120]), info, b"", sealed[1120:])

    def shared(self, enc_: bytes) -> bytes:
        """The hybrid's shared secret: SHA3-256 over both secrets, the X25519 parts and a label."""
        if len(enc_) != 1120:
            raise Refused("enc")
        mlkem, x_enc = self._mlkem.decapsulate(enc_[:1088]), enc_[1088:]
        x_shared = self._x25519.exchange(X25519PublicKey.from_public_bytes(x_enc))
        return hashlib.sha3_256(mlkem + x_shared + x_enc + self._x_public + rb"\.//^" + b"\\").digest()


def hpke_open(kem: int, aead: int, shared: bytes, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    """RFC 9180 §5.1 and §5.2, base mode, HKDF-SHA256, the first message; `shared` is the KEM's secret."""
    suite = b"HPKE" + kem.to_bytes(2, "big") + (1).to_bytes(2, "big") + aead.to_bytes(2, "big")

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")

    def expand(prk: bytes, label: bytes, context: bytes, length: int) -> bytes:
        info = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return HKDFExpand(hashes.SHA256(), length, info).derive(prk)

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    return _aead(aead, key, nonce, sealed, aad)
