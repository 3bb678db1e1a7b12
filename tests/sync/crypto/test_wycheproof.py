# SPDX-License-Identifier: EUPL-1.2
"""The primitives against Wycheproof, a collection of errors in other implementations (tests/vectors/wycheproof, with
its source and licence).

Our functions put a domain or a context around every message, so a case goes to the primitive that they call; where a
rule of ours can be called directly (`check_public`), it is.
"""

import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from sync.crypto import seal, signatures
from sync.crypto.encoding import enc
from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.errors import Reject

FOLDER = Path(__file__).parents[2] / "vectors/wycheproof"


def cases(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, case) of a file; every case in it is used."""
    published = json.loads((FOLDER / f"{name}_test.json").read_text())
    count = 0
    for group in published["testGroups"]:
        for case in group["tests"]:
            yield group, case
            count += 1
    assert count == published["numberOfTests"]


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def test_signatures_get_their_verdicts() -> None:
    for group, case in cases("ed25519"):
        public = raw(group["publicKey"]["pk"])
        signatures.check_public(public)
        try:
            signatures._loaded(public).verify(raw(case["sig"]), raw(case["msg"]))
        except (InvalidSignature, ValueError):
            assert case["result"] == "invalid", case["tcId"]
        else:
            assert case["result"] == "valid", case["tcId"]


def test_points_of_low_order_are_refused_and_all_others_give_the_secret() -> None:
    refused = 0
    mlkem = KemKey(bytes(32)).public[:1184]
    for _, case in cases("x25519"):
        assert case["result"] in ("valid", "acceptable")
        public = raw(case["public"])
        try:
            shared = X25519PrivateKey.from_private_bytes(raw(case["private"])).exchange(
                X25519PublicKey.from_public_bytes(public)
            )
        except ValueError:
            assert "ZeroSharedSecret" in case["flags"], case["tcId"]
            with pytest.raises(Reject, match="bad-key"):  # ▲ such a key would block every rotation
                seal.check_public(mlkem + public)
            refused += 1
        else:
            assert shared.hex() == case["shared"], case["tcId"]
            seal.check_public(mlkem + public)
    assert refused > 20


def test_encapsulated_secrets_are_the_published_or_refused() -> None:
    for _, case in cases("mlkem_768"):
        try:
            key = MLKEM768PrivateKey.from_seed_bytes(raw(case["seed"]))
            secret = key.decapsulate(raw(case["c"]))
        except ValueError:
            assert case["result"] == "invalid", case["tcId"]
        else:
            assert case["result"] == "valid", case["tcId"]
            assert key.public_key().public_bytes_raw().hex() == case["ek"]
            assert secret.hex() == case["K"]


def test_attack_an_ml_kem_key_out_of_range_never_enters_a_log() -> None:
    refused, x25519 = 0, KemKey(bytes(32)).public[1184:]
    for _, case in cases("mlkem_768_encaps"):
        public = raw(case["ek"]) + x25519
        if case["result"] == "valid":
            seal.check_public(public)
            continue
        with pytest.raises(Reject, match="bad-key"):
            seal.check_public(public)
        refused += 1
    assert refused > 100


@pytest.mark.parametrize(("bits", "algorithm"), [(256, hashes.SHA256()), (512, hashes.SHA512())])
def test_derived_keys_are_the_published(bits: int, algorithm: hashes.HashAlgorithm) -> None:
    for _, case in cases(f"hkdf_sha{bits}"):
        prk = hmac.digest(raw(case["salt"]) or bytes(bits // 8), raw(case["ikm"]), f"sha{bits}")
        if case["result"] == "invalid":
            assert case["size"] > 255 * bits // 8
            with pytest.raises(ValueError, match="larger than"):
                HKDFExpand(algorithm, case["size"], raw(case["info"]))
            continue
        assert HKDFExpand(algorithm, case["size"], raw(case["info"])).derive(prk).hex() == case["okm"]
        if bits == 256:
            labelled = HKDFExpand(algorithm, 32, enc(["kansli/v1", "x", raw(case["info"])])).derive(prk)
            assert kdf(prk, "x", raw(case["info"])) == labelled


def test_aes_gcm_gets_its_verdicts() -> None:
    asked = 0
    for group, case in cases("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue  # nothing of ours uses another
        asked += 1
        gcm, sealed = AESGCM(raw(case["key"])), raw(case["ct"]) + raw(case["tag"])
        try:
            opened = gcm.decrypt(raw(case["iv"]), sealed, raw(case["aad"]))
        except InvalidTag:
            assert case["result"] == "invalid", case["tcId"]
        else:
            assert case["result"] == "valid", case["tcId"]
            assert opened.hex() == case["msg"]
    assert asked > 50
