# SPDX-License-Identifier: EUPL-1.2
"""Sealing, signing, key checks and passphrases. Published vectors: test_published.py, test_wycheproof.py."""

import os
from collections.abc import Callable

import pytest

from sync.crypto import aead, seal
from sync.crypto.kdf import kdf
from sync.crypto.passphrase import Argon2Params, derive
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey, check_public, verify
from sync.errors import Reject

KEY = bytes(range(32))
P = 2**255 - 19


def code(e: pytest.ExceptionInfo[Reject]) -> str:
    return e.value.code


def test_what_is_sealed_opens_only_with_its_key_and_context() -> None:
    sealed = aead.encrypt(KEY, ["op", 1], "å 🙂".encode())
    assert aead.decrypt(KEY, ["op", 1], sealed).decode() == "å 🙂"
    for key, ctx in ((bytes(32), ["op", 1]), (KEY, ["op", 2])):
        with pytest.raises(Reject) as e:
            aead.decrypt(key, ctx, sealed)
        assert code(e) == "decrypt"


def test_attack_every_truncation_and_every_flipped_bit_is_refused_whole() -> None:
    sealed = aead.encrypt(KEY, ["op"], b"hemligt" * 5)
    for cut in range(len(sealed)):
        with pytest.raises(Reject, match="decrypt"):
            aead.decrypt(KEY, ["op"], sealed[:cut])
    for at in range(len(sealed)):
        broken = bytearray(sealed)
        broken[at] ^= 0x80
        with pytest.raises(Reject, match="decrypt"):
            aead.decrypt(KEY, ["op"], bytes(broken))


def test_attack_a_long_text_cut_at_a_chunk_is_refused() -> None:
    sealed = aead.encrypt(KEY, ["op"], os.urandom(64 * 1024))
    chunk = 16 * 1024 + 16
    for chunks in range(1, 4):
        with pytest.raises(Reject, match="decrypt"):
            aead.decrypt(KEY, ["op"], sealed[: len(sealed) - chunks * chunk])


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
        with pytest.raises(Reject, match="bad-key"):
            check_public(bytes.fromhex(hex_y))


def test_attack_one_fixed_signature_would_verify_under_the_identity() -> None:
    """The reason for refusing small orders: under y = 1 this signature verifies for any message."""
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
    with pytest.raises(Reject, match="bad-key"):
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


def test_a_new_passphrase_costs_256_mib_and_three_passes(default_cost: Callable[[], Argon2Params]) -> None:
    new = default_cost()
    assert (new.memory_kib, new.passes, new.lanes) == (256 * 1024, 3, 4)
    assert new.salt != default_cost().salt


def test_a_passphrase_gives_one_key_however_it_is_composed() -> None:
    cheap = Argon2Params.fresh()
    assert derive("lösenord å", cheap) == derive("lo\u0308senord a\u030a", cheap)


@pytest.mark.parametrize(("memory_kib", "passes"), [(1024, 3), (2 * 1024 * 1024, 3), (256 * 1024, 1000)])
def test_attack_a_store_may_not_choose_the_cost_of_a_passphrase(memory_kib: int, passes: int) -> None:
    with pytest.raises(Reject) as e:
        derive("x", Argon2Params(salt=bytes(16), memory_kib=memory_kib, passes=passes))
    assert code(e) == "argon2-params"


def test_labels_keep_keys_apart() -> None:
    made = {kdf(KEY, "op"), kdf(KEY, "obj"), kdf(KEY, "op", 1), kdf(KEY, "op", b"\1"), kdf(bytes(32), "op")}
    assert len(made) == 5
