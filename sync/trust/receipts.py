# SPDX-License-Identifier: EUPL-1.2
"""The server's signed word that a room stood at a position: what a later lie is measured against (protocol §4, §12)."""

from sync.crypto.signatures import SigningKey, verify

DOMAIN = "receipt"


def sign(server_key: SigningKey, room: bytes, n: int, rh: bytes, t: int) -> bytes:
    """The server's signature over `[room, n, rh_n, t_n]`."""
    return server_key.sign(DOMAIN, [room, n, rh, t])


def check(server_pk: bytes, room: bytes, n: int, rh: bytes, t: int, sig: bytes) -> None:
    """Reject "signature" unless the server said so."""
    verify(server_pk, DOMAIN, [room, n, rh, t], sig)
