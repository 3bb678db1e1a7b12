# SPDX-License-Identifier: EUPL-1.2
"""Merkle tree proofs after RFC 9162 §2.1.3 and §2.1.4: made from leaves, and checked against tree heads.

Nothing in the protocol carries a proof, since all seals of an epoch are uploaded and a client that opens one needs no
path. So sync/ has tree heads alone. The proofs here show that its tree heads are those of the RFC.
"""

from collections.abc import Sequence

from tests.reader.primitives import H, Refused


def leaf(data: bytes) -> bytes:
    return H(b"\0", data)


def node(left: bytes, right: bytes) -> bytes:
    return H(b"\1", left, right)


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH of §2.1.1, by its recursive definition."""
    if not leaves:
        return H()
    if len(leaves) == 1:
        return leaf(leaves[0])
    k = _split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def inclusion(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D) of §2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*inclusion(m, leaves[:k]), root(leaves[k:])]
    return [*inclusion(m - k, leaves[k:]), root(leaves[:k])]


def consistency(m: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D, b) of §2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], whole=whole), root(leaves[k:])]
    return [*consistency(m - k, leaves[k:], whole=False), root(leaves[:k])]


def check_inclusion(hash_: bytes, index: int, size: int, proof: Sequence[bytes], head: bytes) -> None:
    """§2.1.3.2."""
    if index >= size or len(hash_) != 32:
        raise Refused("index")
    fn, sn, r = index, size - 1, hash_
    for p in proof:
        if sn == 0:
            raise Refused("too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or r != head:
        raise Refused("head")


def check_consistency(first: int, second: int, proof: Sequence[bytes], head_1: bytes, head_2: bytes) -> None:
    """§2.1.4.2; equal sizes need an empty proof and equal heads."""
    if not 0 < first <= second:
        raise Refused("sizes")
    if first == second:
        if proof or head_1 != head_2:
            raise Refused("same size")
        return
    if not proof:
        raise Refused("too short")
    path = list(proof) if first & (first - 1) else [head_1, *proof]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Refused("too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or (fr, sr) != (head_1, head_2):
        raise Refused("head")


def _split(n: int) -> int:
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1
