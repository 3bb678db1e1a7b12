# SPDX-License-Identifier: EUPL-1.2
"""Secrets for a smart card: the card's private key alone gives them back, and other keys are refused."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.crypto.card import ECDH, OAEP, PKCS1, derive_key, encapsulate_for_card, methods_for
from sync.errors import Reject

RSA_KEY = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - is to be refused
CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


SHA1 = hashes.SHA1()  # noqa: S303 - what cards offer


@pytest.mark.parametrize(
    ("method", "unpadded"), [(OAEP, padding.OAEP(padding.MGF1(SHA1), SHA1, None)), (PKCS1, padding.PKCS1v15())]
)
def test_an_rsa_key_gives_the_secret_back(method: int, unpadded: padding.OAEP | padding.PKCS1v15) -> None:
    made = encapsulate_for_card(spki(RSA_KEY), method)
    secret = RSA_KEY.decrypt(made.blob, unpadded)
    assert derive_key(spki(RSA_KEY), made.blob, secret) == made.key
    assert secret != made.key
    assert encapsulate_for_card(spki(RSA_KEY), method).key != made.key


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_a_key_of_a_curve_agrees_on_the_secret(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    made = encapsulate_for_card(spki(key), ECDH)
    once = ec.EllipticCurvePublicKey.from_encoded_point(curve, made.blob)
    assert derive_key(spki(key), made.blob, key.exchange(ec.ECDH(), once)) == made.key


def test_the_key_is_bound_to_the_public_key_and_to_what_the_card_gets() -> None:
    made = {derive_key(public, blob, b"s" * 32) for public in (b"a", b"b") for blob in (b"", b"x")}
    assert len(made) == 4


@pytest.mark.parametrize(
    "public",
    [
        b"",
        b"\x30\x00",
        spki(RSA_KEY)[:-1],
        spki(SHORT),
        spki(ed25519.Ed25519PrivateKey.generate()),
        spki(ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["empty", "nonsense", "cut", "short", "other algorithm", "other curve"],
)
def test_other_keys_are_refused(public: bytes) -> None:
    with pytest.raises(Reject, match="card-key"):
        methods_for(public)
    with pytest.raises(Reject, match="card-key"):
        encapsulate_for_card(public, OAEP)


def test_a_method_of_another_algorithm_is_refused() -> None:
    curve_key = spki(ec.generate_private_key(CURVES[0]))
    assert (methods_for(spki(RSA_KEY)), methods_for(curve_key)) == ((OAEP, PKCS1), (ECDH,))
    for public, method in ((spki(RSA_KEY), ECDH), (curve_key, OAEP), (spki(RSA_KEY), 4)):
        with pytest.raises(Reject, match="card-key"):
            encapsulate_for_card(public, method)


@pytest.mark.parametrize("modulus", [1 << 2047, RSA_KEY.public_key().public_numbers().n - 1], ids=["power", "even"])
def test_a_modulus_that_encrypts_nothing_is_refused(modulus: int) -> None:
    """OpenSSL reads such a key, and refuses to calculate with it."""
    body = rsa.RSAPublicNumbers(3, RSA_KEY.public_key().public_numbers().n).public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    right = RSA_KEY.public_key().public_numbers().n.to_bytes(256, "big")
    public = body.replace(right, modulus.to_bytes(256, "big"))
    for method in (OAEP, PKCS1):
        with pytest.raises(Reject, match="card-key"):
            encapsulate_for_card(public, method)
