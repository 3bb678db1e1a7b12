# SPDX-License-Identifier: EUPL-1.2
"""The attested string of a document and a board, computed by another program: tests/vectors/sync-1-attested.json, read
from app/objects/FORMAT.md and sync/PROTOCOL.md §7 alone."""

import contextlib
import hashlib
from typing import Any

import pytest

from tests.reader import objects
from tests.reader.grammar import read
from tests.reader.judge import Judge
from tests.reader.primitives import Refused, dec
from tests.reader.vectors import load, raw

KINDS = ("document", "board")


@pytest.fixture(scope="module")
def vector() -> Any:
    return load("attested")


def attested(changes: list[tuple[bytes, bytes]], begun: bytes, n: int) -> tuple[str, str]:
    """(the string, its hash) of an object's changes. `begun`: the bytes beside a state."""
    crdt, judge = objects.Crdt(), Judge()
    for position, (author, update, beside) in enumerate(objects.updates(changes)):
        with contextlib.suppress(Refused):  # what is no update changes nothing
            if not beside:
                assert judge.offer(position, author, read(update)) == [(position, "merged")]
            crdt.merge(update)
    known = begun or msgpacked(n << 20 | (1 << 20) - 1, judge.known())
    canonical = crdt.canonical()
    return canonical, hashlib.sha256(b"kansli/v2 attested\n" + canonical.encode() + known).hexdigest()


def msgpacked(covers: int, known: bytes) -> bytes:
    """[covers, [], known] in MessagePack."""
    size = b"\xc4" + bytes((len(known),)) if len(known) < 256 else b"\xc5" + len(known).to_bytes(2, "big")
    return b"\x93\xce" + covers.to_bytes(4, "big") + b"\x90" + size + known


@pytest.mark.parametrize("kind", KINDS)
def test_changes_make_the_string_and_the_hash_that_is_attested(vector: Any, kind: str) -> None:
    case = vector[kind]
    changes = [(raw(author), raw(data)) for author, data in case["changes"]]
    assert attested(changes, b"", vector["n"]) == (case["hashed"], case["hash"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshots_pieces_make_an_object_of_the_same_hash(vector: Any, kind: str) -> None:
    case = vector[kind]
    pieces = [dec(raw(piece)) for piece in case["pieces"]]
    assert [p[:5] for p in pieces] == [[1, bytes(range(16)), i, 3, raw(case["hash"])] for i in range(3)]
    whole = dec(b"".join(p[5] for p in pieces))
    begun = b"".join(beside for _, _, beside in objects.updates([(b"", data) for data in whole]))
    assert begun == raw(case["begun"])
    assert attested([(b"", data) for data in whole], begun, vector["n"]) == (case["hashed"], case["hash"])
    attest = [1, raw(vector["obj"]), vector["n"], raw(vector["snapshot"]), raw(case["hash"])]
    assert dec(raw(case["attest"])) == attest


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_more_or_less_has_another_hash(vector: Any, kind: str) -> None:
    case = vector[kind]
    changes = [(raw(author), raw(data)) for author, data in case["changes"]]
    assert attested(changes[:-1], b"", vector["n"])[1] != case["hash"]
    with pytest.raises((Refused, AssertionError)):
        attested(changes[-1:], b"", vector["n"])
