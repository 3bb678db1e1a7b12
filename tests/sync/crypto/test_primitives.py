# SPDX-License-Identifier: EUPL-1.2
"""Sealing, signing, key checks and passphrases, alone and against published vectors."""

import base64
import hmac
import json
import os
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sync.crypto import aead, seal
from sync.crypto.encoding import enc
from sync.crypto.kdf import H, kdf
from sync.crypto.passphrase import Argon2Params, derive
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey, check_public, verify
from sync.errors import Reject

KEY = bytes(range(32))
P = 2**255 - 19
CHUNK = 16 * 1024


def code(e: pytest.ExceptionInfo[Reject]) -> str:
    return e.value.code


def test_what_is_sealed_opens_only_with_its_key_and_context() -> None:
    sealed = aead.seal(KEY, ["op", 1], "å 🙂".encode())
    assert aead.open_(KEY, ["op", 1], sealed).decode() == "å 🙂"
    for key, ctx in ((bytes(32), ["op", 1]), (KEY, ["op", 2])):
        with pytest.raises(Reject) as e:
            aead.open_(key, ctx, sealed)
        assert code(e) == "decrypt"


def test_attack_every_truncation_and_every_flipped_bit_is_refused_whole() -> None:
    sealed = aead.seal(KEY, ["op"], b"hemligt" * 5)
    for cut in range(len(sealed)):
        with pytest.raises(Reject):
            aead.open_(KEY, ["op"], sealed[:cut])
    for at in range(len(sealed)):
        broken = bytearray(sealed)
        broken[at] ^= 0x80
        with pytest.raises(Reject):
            aead.open_(KEY, ["op"], bytes(broken))


def test_attack_a_long_text_cut_at_a_chunk_is_refused() -> None:
    sealed = aead.seal(KEY, ["op"], os.urandom(64 * 1024))
    chunk = 16 * 1024 + 16
    for chunks in range(1, 4):
        with pytest.raises(Reject):
            aead.open_(KEY, ["op"], sealed[: len(sealed) - chunks * chunk])


def test_a_signature_holds_for_its_domain_and_message_only() -> None:
    key = SigningKey(KEY)
    sig = key.sign("op", b"x")
    verify(key.public, "op", b"x", sig)
    for domain, message, bad in (("eph", b"x", sig), ("op", b"y", sig), ("op", b"x", bytes(64)), ("op", b"x", b"")):
        with pytest.raises(Reject) as e:
            verify(key.public, domain, message, bad)
        assert code(e) == "signature"


@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, 2**255 - 1])
@pytest.mark.parametrize("sign_bit", [0, 1 << 255])
def test_attack_a_signing_key_of_small_order_is_refused(y: int, sign_bit: int) -> None:
    with pytest.raises(Reject) as e:
        check_public((y | sign_bit).to_bytes(32, "little"))
    assert code(e) == "bad-key"


def test_attack_the_eight_torsion_points_are_the_ones_refused() -> None:
    d = -121665 * pow(121666, P - 2, P) % P
    for hex_y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ):
        y = int.from_bytes(bytes.fromhex(hex_y), "little")
        # doubling a point of order 8 gives one of order 4 (y = 0): y2 = (y² + x²) / (2 - y² + x²) for a = -1
        x2 = (y * y - 1) * pow(d * y * y + 1, P - 2, P) % P
        assert (y * y + x2) % P == 0
        with pytest.raises(Reject):
            check_public(bytes.fromhex(hex_y))


def test_attack_one_fixed_signature_would_verify_under_the_identity() -> None:
    """Why small orders are refused: under y = 1 this signature is good for any message."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    try:
        verify(identity, "op", os.urandom(8), forged)
    except Reject:
        pytest.skip("this library refuses it by itself")


@pytest.mark.parametrize("x", [0, 1, P - 1, P, P + 1])
def test_attack_a_sealing_key_nobody_can_seal_to_is_refused(x: int) -> None:
    public = KemKey(KEY).public[:1184] + x.to_bytes(32, "little")
    with pytest.raises(Reject) as e:
        seal.check_public(public)
    assert code(e) == "bad-key"


@pytest.mark.parametrize("public", [b"", bytes(1216), b"\xff" * 1216, bytes(1215)])
def test_attack_bytes_that_are_no_sealing_key_are_refused(public: bytes) -> None:
    with pytest.raises(Reject):
        seal.check_public(public)


def test_a_seal_opens_with_its_key_and_info_only() -> None:
    key = KemKey(KEY)
    sealed = seal.seal_to(key.public, b"info", bytes(32))
    assert len(sealed) == 1168
    assert key.open(b"info", sealed) == bytes(32)
    for other, info in ((KemKey(bytes(32)), b"info"), (key, b"other")):
        with pytest.raises(Reject) as e:
            other.open(info, sealed)
        assert code(e) == "decrypt"


def test_secrets_do_not_show_in_a_repr() -> None:
    for secret in (SigningKey(KEY), KemKey(KEY)):
        assert KEY.hex() not in repr(secret)
        assert "\\x" not in repr(secret)


def test_a_passphrase_gives_one_key_however_it_is_composed() -> None:
    cheap = replace(Argon2Params.fresh(), memory_kib=64 * 1024, passes=1)
    assert derive("lösenord å", cheap) == derive("lo\u0308senord a\u030a", cheap)


@pytest.mark.parametrize(("memory_kib", "passes"), [(1024, 3), (2 * 1024 * 1024, 3), (256 * 1024, 1000)])
def test_attack_a_store_may_not_choose_the_cost_of_a_passphrase(memory_kib: int, passes: int) -> None:
    with pytest.raises(Reject) as e:
        derive("x", Argon2Params(salt=bytes(16), memory_kib=memory_kib, passes=passes))
    assert code(e) == "argon2-params"


def test_labels_keep_keys_apart() -> None:
    made = {kdf(KEY, "op"), kdf(KEY, "obj"), kdf(KEY, "op", 1), kdf(KEY, "op", b"\1"), kdf(bytes(32), "op")}
    assert len(made) == 5


# -- published vectors ------------------------------------------------------------------------------------------


def published(*path: str) -> Path:
    return Path(cryptography_vectors.__file__).parent.joinpath(*path)


def test_a_seed_gives_the_published_hybrid_key_pair() -> None:
    """hpke-pq-test-vectors.json, KEM MLKEM768_X25519 (0x647a): SHAKE256 of the seed, both public keys in a row."""
    cases: list[dict[str, Any]] = json.loads(published("HPKE", "hpke-pq-test-vectors.json").read_text())
    ours = [c for c in cases if c["kem_id"] == 0x647A]
    assert len(ours) == 2
    for case in ours:
        assert KemKey(bytes.fromhex(case["skRm"])).public.hex() == case["pkRm"]


def test_the_published_hkdf_case_gives_the_same_expansion() -> None:
    """RFC 5869 A.1, through the same primitive that kdf uses."""
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    info = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9")
    okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    first = hmac.digest(prk, info + b"\1", "sha256")
    assert okm.startswith(first.hex())
    assert kdf(prk, "x") == hmac.digest(prk, enc(["kansli/v1", "x"]) + b"\1", "sha256")


def test_the_hash_is_sha256() -> None:
    assert H(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert H("ab", b"c") == H(b"abc")


def c2sp_open(hash_: hashes.HashAlgorithm, key: bytes, context: bytes, sealed: bytes) -> bytes | None:
    """C2SP chunked encryption, AES-256-GCM, written from its specification: salt 24 ‖ commitment 32 ‖ chunks."""
    salt, commitment, body = sealed[:24], sealed[24:56], sealed[56:]
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + context
    if len(key) != 32:
        return None
    made = HKDFExpand(hash_, 32 + 12 + 32, info).derive(key)
    if made[44:] != commitment:
        return None
    nonce, out, at = int.from_bytes(made[32:44], "big"), [], 0
    for counter in range(len(body) // (CHUNK + 16) + 1):
        try:
            chunk = body[at : at + CHUNK + 16]
            out.append(AESGCM(made[:32]).decrypt((nonce ^ counter).to_bytes(12, "big"), chunk, None))
        except InvalidTag:
            return None
        at += CHUNK + 16
    return b"".join(out)


def test_the_reference_gives_the_published_verdicts_of_c2sp_chunked_encryption() -> None:
    """chunked-encryption/vectors.json is its SHA-256 instantiation; Cobblestone-256 is the same with SHA-512."""
    cases: list[dict[str, Any]] = json.loads(published("chunked-encryption", "vectors.json").read_text())["vectors"]
    ours = [c for c in cases if c["aead"] == "AEAD_AES_256_GCM" and c.get("ciphertext")]
    assert len(ours) > 20
    for case in ours:
        sealed = base64.b64decode(case["ciphertext"])
        if case.get("compressed"):
            sealed = zlib.decompress(sealed)
        text = c2sp_open(hashes.SHA256(), bytes.fromhex(case["key"]), case["context"].encode(), sealed)
        assert (text is not None) == (case["expect"] == "success"), case["name"]
        if text is not None:
            assert H(text).hex() == case["payload_sha256"], case["name"]


@pytest.mark.parametrize("size", [0, 1, 256, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_our_sealing_is_that_construction_with_sha512(size: int) -> None:
    text = os.urandom(size)
    sealed = aead.seal(KEY, ["op", b"ctx"], text)
    assert c2sp_open(hashes.SHA512(), KEY, enc(["op", b"ctx"]), sealed) == text
