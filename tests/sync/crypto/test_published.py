# SPDX-License-Identifier: EUPL-1.2
"""The primitives against the vectors of RFCs, NIST and C2SP, as the package cryptography_vectors holds them.

Cobblestone-256 and our HPKE suite have no published cases of their own (chunked encryption has them with SHA-256, the
hybrid KEM with ChaCha20-Poly1305). So the reader's second constructions (tests/reader) get the published cases first
and then open what our code seals.
"""

import base64
import hmac
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sync.crypto import aead, passphrase, seal, signatures
from sync.crypto.encoding import enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from tests.reader import primitives as reader
from tests.reader.primitives import CHUNK, KEM_HYBRID, Refused, chunked_open, hpke_open

KEY = bytes(range(32))
MLKEM768_X25519, CHACHA20_POLY1305 = KEM_HYBRID, 3


def published(*path: str) -> str:
    return Path(cryptography_vectors.__file__).parent.joinpath(*path).read_text(encoding="utf-8")


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def blocks(*path: str) -> Iterator[dict[str, str]]:
    """The cases of a NIST response file: `name = value` lines, a count (in any case) begins one."""
    case: dict[str, str] = {}
    for line in published(*path).splitlines():
        name, found, value = (part.strip() for part in line.partition("="))
        if found and not name.startswith("#"):
            if name.lower() == "count" and case:
                yield case
                case = {}
            case[name.lower()] = value
    yield case


def test_the_hash_is_sha256() -> None:
    assert H("ab", b"c") == H(b"abc")
    for name, least in (("SHA256ShortMsg.rsp", 60), ("SHA256LongMsg.rsp", 60)):
        cases_read = [line.split(" = ") for line in published("hashes", "SHA2", name).splitlines() if " = " in line]
        cases = [dict(cases_read[i : i + 3]) for i in range(1, len(cases_read), 3)]
        assert len(cases) >= least
        for case in cases:
            assert H(raw(case["Msg"])[: int(case["Len"]) // 8]).hex() == case["MD"]


def test_expansion_is_that_of_rfc_5869() -> None:
    cases = list(blocks("KDF", "rfc-5869-HKDF-SHA256.txt"))
    assert len(cases) == 3
    for case in cases:
        prk = hmac.digest(raw(case["salt"]) or bytes(32), raw(case["ikm"]), "sha256")
        assert prk.hex() == case["prk"]
        length, info = int(case["l"]), raw(case["info"])
        assert HKDFExpand(hashes.SHA256(), length, info).derive(prk).hex() == case["okm"]
        assert kdf(prk, "x", info, length=length) == reader.KDF(prk, "x", info, length=length)


def test_a_passphrase_goes_through_rfc_9106s_argon2id() -> None:
    asked = 0
    for case in blocks("KDF", "argon2id.txt"):
        derived = Argon2id(
            salt=raw(case["salt"]),
            length=int(case["length"]),
            iterations=int(case["iter"]),
            lanes=int(case["lanes"]),
            memory_cost=int(case["memcost"]),
            secret=raw(case["secret"]) if "secret" in case else None,
            ad=raw(case["ad"]) if "ad" in case else None,
        ).derive(raw(case.get("pass", "")))
        assert derived.hex() == case["output"]
        asked += 1
    assert asked >= 4


def test_a_key_from_a_passphrase_is_argon2id_of_its_utf_8() -> None:
    params = passphrase.Argon2Params(salt=KEY[:16], memory_kib=64 * 1024, passes=1, lanes=2)
    same = Argon2id(salt=KEY[:16], length=32, iterations=1, lanes=2, memory_cost=64 * 1024).derive("å".encode())
    assert passphrase.derive("a\u030a", params) == same


def test_signatures_are_those_of_ed25519() -> None:
    lines = published("asymmetric", "Ed25519", "sign.input").splitlines()
    assert len(lines) > 1000
    for line in lines:
        seed, public, message, signed = line.split(":")[:4]
        key = SigningKey(raw(seed)[:32])
        assert key.public.hex() == public
        assert key._key.sign(raw(message)).hex() == signed[:128]
        signatures._loaded(key.public).verify(raw(signed)[:64], raw(message))


def test_secrets_are_those_of_x25519() -> None:
    cases = [case for case in blocks("asymmetric", "X25519", "rfc7748.txt") if "input_scalar" in case]
    assert len(cases) >= 2
    for case in cases[:2]:  # the others are one case iterated
        private = X25519PrivateKey.from_private_bytes(raw(case["input_scalar"]))
        assert private.exchange(X25519PublicKey.from_public_bytes(raw(case["input_u"]))).hex() == case["output_u"]


def test_keys_and_secrets_are_those_of_ml_kem_768() -> None:
    cases = list(blocks("asymmetric", "MLKEM", "kat_MLKEM_768.rsp"))
    assert len(cases) >= 100
    for case in cases:
        key = MLKEM768PrivateKey.from_seed_bytes(raw(case["d"]) + raw(case["z"]))
        assert key.public_key().public_bytes_raw().hex() == case["pk"]
        assert key.decapsulate(raw(case["ct"])).hex() == case["ss"]
        assert key.decapsulate(raw(case["ct_n"])).hex() == case["ss_n"]  # of another key: an implicit refusal


# -- SEAL


def hybrid_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(published("HPKE", "hpke-pq-test-vectors.json"))
    return [c for c in cases if c["kem_id"] == MLKEM768_X25519]


def test_a_seed_gives_the_published_hybrid_key_pair() -> None:
    """SHAKE256 of the seed, both public keys in a row."""
    assert len(hybrid_cases()) == 2
    for case in hybrid_cases():
        seed = raw(case["skRm"])
        assert KemKey(seed).public.hex() == reader.KemKey(seed).public.hex() == case["pkRm"]
        assert reader.KemKey(seed).shared(raw(case["enc"])).hex() == case["shared_secret"]


def test_the_reference_opens_the_published_hybrid_message() -> None:
    """With ChaCha20-Poly1305, the one that is published with HKDF-SHA256; ours differs in that alone."""
    (case,) = [c for c in hybrid_cases() if c["kdf_id"] == 1]
    assert case["aead_id"] == CHACHA20_POLY1305
    cases_read, shared = case["encryptions"][0], raw(case["shared_secret"])
    opened = hpke_open(MLKEM768_X25519, 3, shared, raw(case["info"]), raw(cases_read["aad"]), raw(cases_read["ct"]))
    assert opened.hex() == cases_read["pt"]


def test_the_reference_opens_the_published_messages_of_our_key_schedule() -> None:
    """HKDF-SHA256 and AES-256-GCM in base mode, after every KEM that RFC 9180 published them with."""
    cases = json.loads(published("HPKE", "test-vectors.json"))
    ours = [c for c in cases if (c["mode"], c["kdf_id"], c["aead_id"]) == (0, 1, 2)]
    assert len(ours) >= 3
    for case in ours:
        cases_read, shared = case["encryptions"][0], raw(case["shared_secret"])
        opened = hpke_open(case["kem_id"], 2, shared, raw(case["info"]), raw(cases_read["aad"]), raw(cases_read["ct"]))
        assert opened.hex() == cases_read["pt"]


def test_the_reference_opens_what_we_seal() -> None:
    theirs = reader.KemKey(KEY)
    sealed = seal.seal_to(theirs.public, b"info", b"hemligt")
    assert theirs.open(b"info", sealed) == b"hemligt"
    with pytest.raises(Refused):
        theirs.open(b"other", sealed)


# -- AEAD


def test_the_reference_gives_the_published_verdicts_of_c2sp_chunked_encryption() -> None:
    """chunked-encryption/vectors.json is its SHA-256 instantiation; Cobblestone-256 is the same with SHA-512."""
    cases: list[dict[str, Any]] = json.loads(published("chunked-encryption", "vectors.json"))["vectors"]
    ours = [c for c in cases if c["aead"] == "AEAD_AES_256_GCM" and c.get("ciphertext")]
    assert len(ours) > 20
    for case in ours:
        sealed = base64.b64decode(case["ciphertext"])
        if case.get("compressed"):
            sealed = zlib.decompress(sealed)
        text = None
        try:
            text = chunked_open(hashes.SHA256(), raw(case["key"]), case["context"].encode(), sealed)
        except Refused:
            assert case["expect"] != "success", case["name"]
        assert (text is not None) == (case["expect"] == "success"), case["name"]
        if text is not None:
            assert H(text).hex() == case["payload_sha256"], case["name"]


@pytest.mark.parametrize("size", [0, 1, 256, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_our_sealing_is_that_construction_with_sha512(size: int) -> None:
    text = os.urandom(size)
    sealed = aead.encrypt(KEY, ["op", b"ctx"], text)
    assert chunked_open(hashes.SHA512(), KEY, enc(["op", b"ctx"]), sealed) == text
