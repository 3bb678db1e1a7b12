# SPDX-License-Identifier: EUPL-1.2
"""The root of an RFC 9162 Merkle tree, which commits to the seals of an epoch."""

from collections.abc import Sequence

from sync.crypto.kdf import H
from sync.ids import Hash

EMPTY = H()


def leaf_hash(leaf: bytes) -> Hash:
    return H(b"\0", leaf)


def root(leaves: Sequence[bytes]) -> Hash:
    """The tree head over the leaves in order (RFC 9162 §2.1.1)."""
    return root_of_hashes([leaf_hash(leaf) for leaf in leaves])


def root_of_hashes(hashes: Sequence[bytes]) -> Hash:
    """The Merkle tree head over the hashes of leaves, in order, by which an epoch commits to its seals (encrypted
    keys). Pairs are joined from the left, and a last node without a partner moves up unchanged. Without leaves it is
    the hash of nothing."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        joined: list[bytes] = [H(b"\1", level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            joined.append(level[-1])
        level = joined
    return Hash(level[0])
