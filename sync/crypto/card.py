# SPDX-License-Identifier: EUPL-1.2
"""Encapsulates a key for a smart card: only the card's private key gives it back, by RSA decryption or by ECDH with an
ephemeral key. CRYPTO.md, "Smart cards".

This is what the program computes. The card does the part with the private key (app/card).
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from sync.crypto.encoding import enc
from sync.crypto.kdf import LABEL, H
from sync.errors import Reject

OAEP, PKCS1, ECDH = 1, 2, 3
"""The methods: RSA with OAEP, RSA with PKCS #1 v1.5, ECDH. The numbers are in the files of key slots."""
RSA_METHODS, EC_METHODS = (OAEP, PKCS1), (ECDH,)
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 4096
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SECRET_BYTES = 32
# Cards and SoftHSM offer OAEP with SHA-1 only, or with SHA-1 at least. OAEP needs no collision resistance of its hash.
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """A fresh `key` of 32 bytes, and the `blob` from which the card gives it back: an RSA ciphertext, or the
    ephemeral public key of an ECDH agreement (an uncompressed point). The blob is not secret."""

    blob: bytes
    key: bytes = field(repr=False)


def methods_for(public: bytes) -> tuple[int, ...]:
    """The methods (OAEP, PKCS1, ECDH) that a public key allows, the best first. `public`: SubjectPublicKeyInfo in DER.
    Reject "card-key" for a key that is damaged, has another algorithm or curve, or is an RSA key of fewer than 2048 or
    more than 4096 bits."""
    return RSA_METHODS if isinstance(_load(public), rsa.RSAPublicKey) else EC_METHODS


def encapsulate_for_card(public: bytes, method: int) -> Encapsulation:
    """Makes a fresh key that only the private key of `public` (SubjectPublicKeyInfo in DER) gives back. Each call makes
    another. Reject "card-key" as for `methods_for`, and if `method` is none of the key's methods."""
    key = _load(public)
    if isinstance(key, rsa.RSAPublicKey) and method in RSA_METHODS:
        secret = os.urandom(_SECRET_BYTES)
        try:
            blob = key.encrypt(secret, _OAEP if method == OAEP else padding.PKCS1v15())
        except ValueError as e:  # an even modulus
            raise Reject("card-key") from e
    elif isinstance(key, ec.EllipticCurvePublicKey) and method in EC_METHODS:
        once = ec.generate_private_key(key.curve)
        secret = once.exchange(ec.ECDH(), key)
        blob = once.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        raise Reject("card-key")
    return Encapsulation(blob, derive_key(public, blob, secret))


def derive_key(public: bytes, blob: bytes, secret: bytes) -> bytes:
    """Derives the 32 bytes of an Encapsulation's key from what the card gave back: `secret` is the decrypted text
    (RSA), or the x coordinate of the agreed point (ECDH). Any `secret` gives a key; a wrong one gives a wrong key. The
    key is bound to the public key and to `blob`."""
    info = enc([LABEL, "card", H("card-key", public), blob])
    return HKDF(hashes.SHA256(), _SECRET_BYTES, salt=None, info=info).derive(secret)


def _load(public: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public)
    except (ValueError, UnsupportedAlgorithm) as e:
        raise Reject("card-key") from e
    if isinstance(key, rsa.RSAPublicKey) and LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    raise Reject("card-key")
