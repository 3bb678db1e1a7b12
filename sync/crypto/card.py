# SPDX-License-Identifier: EUPL-1.2
"""A secret that only the private key on a smart card gives back: RSA encryption, or ECDH with a key that is used once.

This is the half that the program computes. The other half, with the private key, is the card's (app/card).
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
"""How the secret is given to the card: RSA with OAEP, RSA with PKCS #1 v1.5, ECDH. The numbers are in the files."""
RSA_METHODS, EC_METHODS = (OAEP, PKCS1), (ECDH,)
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 4096
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_SECRET_BYTES = 32
# Cards and SoftHSM offer OAEP with SHA-1 only, or with SHA-1 at least. OAEP needs no collision resistance of its hash.
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303


@dataclass(frozen=True, slots=True)
class ForCard:
    """`blob`: what the card needs to give the secret back, an RSA ciphertext or an uncompressed point of a curve. It is
    not secret. `key`: the 32 bytes that are derived from the card's answer."""

    blob: bytes
    key: bytes = field(repr=False)


def methods_for(public: bytes) -> tuple[int, ...]:
    """The methods (OAEP, PKCS1, ECDH) that a public key allows, the best first. `public`: SubjectPublicKeyInfo in DER.
    Reject "card-key" for a key that is damaged, has another algorithm or curve, or is shorter than 2048 bits of RSA."""
    return RSA_METHODS if isinstance(_load(public), rsa.RSAPublicKey) else EC_METHODS


def seal_for_card(public: bytes, method: int) -> ForCard:
    """Makes a fresh key of 32 bytes that only the private key to `public` (SubjectPublicKeyInfo in DER) gives back.
    Reject "card-key" as `methods_for`, or if `method` is none of its methods."""
    key = _load(public)
    if isinstance(key, rsa.RSAPublicKey) and method in RSA_METHODS:
        secret = os.urandom(_SECRET_BYTES)
        blob = key.encrypt(secret, _OAEP if method == OAEP else padding.PKCS1v15())
    elif isinstance(key, ec.EllipticCurvePublicKey) and method in EC_METHODS:
        once = ec.generate_private_key(key.curve)
        secret = once.exchange(ec.ECDH(), key)
        blob = once.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        raise Reject("card-key")
    return ForCard(blob, key_of(public, blob, secret))


def key_of(public: bytes, blob: bytes, secret: bytes) -> bytes:
    """The key of 32 bytes for what the card gave back: `secret` is the decrypted text (RSA) or the x coordinate that
    both sides have (ECDH). The key is bound to the public key and to `blob`."""
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
