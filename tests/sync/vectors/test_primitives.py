# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: encoding and primitives."""

from typing import Any

import pytest

from sync.crypto import aead, passphrase, seal, signatures
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from tests.sync.vectors.stored import load, raw
from tests.vectors.notation import read


def test_every_value_has_the_encoding_it_had() -> None:
    for case in load("encoding")["good"]:
        value = read(case["value"])
        assert enc(value) == raw(case["hex"])
        assert dec(raw(case["hex"]), limit=1 << 20) == value


def test_every_other_encoding_is_refused() -> None:
    for case in load("encoding")["refused"]:
        with pytest.raises(Reject) as e:
            dec(raw(case["hex"]), limit=1 << 20)
        assert e.value.code == "encoding", case


def test_hashes_and_derived_keys_are_the_same(primitives: Any) -> None:
    for case in primitives["hash"]:
        assert H(*map(raw, case["parts"])).hex() == case["hex"]
    for case in primitives["kdf"]:
        assert kdf(raw(case["key"]), case["label"], *read(case["context"])).hex() == case["hex"]  # type: ignore[misc]


def test_a_signature_is_the_same(primitives: Any) -> None:
    v = primitives["signature"]
    key = SigningKey(raw(v["seed"]))
    assert key.public == raw(v["public"])
    assert key.sign(v["domain"], read(v["message"])) == raw(v["sig"])
    signatures.verify(key.public, v["domain"], read(v["message"]), raw(v["sig"]))


def test_keys_that_were_refused_are_refused(primitives: Any) -> None:
    for public in primitives["bad_signing_keys"]:
        with pytest.raises(Reject, match="bad-key"):
            signatures.check_public(raw(public))
    for public in primitives["bad_sealing_keys"]:
        with pytest.raises(Reject, match="bad-key"):
            seal.check_public(raw(public))


def test_what_was_sealed_opens(primitives: Any) -> None:
    v = primitives["aead"]
    context = read(v["context"])
    assert isinstance(context, list)
    assert aead.decrypt(raw(v["key"]), context, raw(v["sealed"])) == raw(v["plaintext"])
    v = primitives["seal"]
    key = KemKey(raw(v["seed"]))
    assert key.public == raw(v["public"])
    assert key.open(raw(v["info"]), raw(v["sealed"])) == raw(v["message"])


def test_a_passphrase_gives_the_same_key(primitives: Any) -> None:
    v = primitives["passphrase"]
    params = passphrase.Argon2Params(
        salt=raw(v["salt"]), memory_kib=v["memory_kib"], passes=v["passes"], lanes=v["lanes"]
    )
    assert passphrase.derive(v["text"], params).hex() == v["hex"]
