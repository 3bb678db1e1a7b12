# SPDX-License-Identifier: EUPL-1.2
"""Ed25519 signatures with a domain, over `enc(["kansli/v1", domain, message])` (RFC 8032)."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.crypto.encoding import enc
from sync.crypto.kdf import LABEL
from sync.errors import Reject

_P = 2**255 - 19
_SMALL_ORDER_Y = frozenset(
    (
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    )
)


class SigningKey:
    """A private Ed25519 signing key, made from `seed` (32 B). Its repr shows no key material."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.seed = seed
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, domain: str, message: object) -> bytes:
        """Signs `message`, any value that can be encoded. `domain` names what kind of statement it is, so that the
        signature is not valid for a statement of another kind. 64 bytes."""
        return self._key.sign(enc([LABEL, domain, message]))

    def __repr__(self) -> str:
        return "SigningKey(…)"


def verify(public: bytes, domain: str, message: object, sig: bytes) -> None:
    """Reject "signature" unless `sig` is a signature over `domain` and `message`, made with the private key of
    `public`."""
    try:
        _loaded(public).verify(sig, enc([LABEL, domain, message]))
    except (InvalidSignature, ValueError) as e:
        raise Reject("signature", domain) from e


def check_public(public: bytes) -> None:
    """▲ Reject "bad-key" if `public`, a public signing key, is of small order, has y ≥ p or has not 32 bytes. One fixed
    signature would be valid for every message under such a key."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if len(public) != 32 or y >= _P or y in _SMALL_ORDER_Y:
        raise Reject("bad-key", "signing key")


@lru_cache(maxsize=4096)
def _loaded(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
