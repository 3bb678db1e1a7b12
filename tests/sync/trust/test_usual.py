# SPDX-License-Identifier: EUPL-1.2
"""What is read in one step is exactly what the strict decoder reads, and nothing that it refuses."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.crypto.encoding import enc
from sync.errors import Reject
from sync.ids import ObjId, Uid
from sync.trust.formats import usual_envelope
from sync.trust.room.envelope import HEADER_LIMIT, Header, _read_body_strictly, read_body
from tests.fuzz.mutations import mutate

EDGES = (0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
U64 = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**64 - 1))
ID, HASH = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
POSITION = st.tuples(U64, HASH)
HEADERS = st.builds(
    Header, U64, ID, ID.map(Uid), ID, U64, HASH, U64, POSITION, POSITION, ID.map(ObjId), st.just(b"") | HASH, U64, U64
)  # fmt: skip


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    """The value, or the code it is refused with."""
    try:
        return read(data)
    except Reject as e:
        return e.code


@given(HEADERS)
@settings(max_examples=300)
def test_every_header_is_read_the_same_by_both_readers(header: Header) -> None:
    data = header.encode()
    assert outcome(Header.decode, data) == outcome(Header._strictly, data)
    assert (usual_envelope.header(data) is None) == (header.dev_seq >= 2**63)


@pytest.mark.slow
@given(HEADERS, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_a_changed_header_is_refused_alike(header: Header, rng: Random) -> None:
    data = mutate(rng, header.encode(), [header.encode()])
    assert outcome(Header.decode, data) == outcome(Header._strictly, data)


@given(st.binary(max_size=1200), HASH, U64, st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_a_body_is_read_the_same_by_both_readers(header: bytes, digest: bytes, length: int, rng: Random) -> None:
    data = enc([header, digest, length])
    assert outcome(read_body, data) == outcome(_read_body_strictly, data)
    assert (usual_envelope.body(data, HEADER_LIMIT) is None) == (not 24 <= len(header) <= HEADER_LIMIT)
    changed = mutate(rng, data, [data])
    assert outcome(read_body, changed) == outcome(_read_body_strictly, changed)


@pytest.mark.parametrize("long", [b"\x18\x01", b"\x19\x00\x01", b"\x1a\x00\x00\x00\x01", b"\x1b" + bytes(7) + b"\x01"])
def test_attack_a_number_that_is_not_shortest_is_refused_wherever_it_stands(long: bytes) -> None:
    nine, zeros = bytes([9]) * 16, bytes(32)
    at = (1, zeros)
    one = Header(1, nine, Uid(nine), nine, 1, zeros, 1, at, at, ObjId(nine), b"", 1, 1)
    data = one.encode()
    places = [i for i in range(2, len(data)) if data[i] == 1]
    assert len(places) == 7
    for i in places:
        assert outcome(Header.decode, data[:i] + long + data[i + 1 :]) == "encoding"
    body = enc([data, bytes(32), 1])
    assert outcome(read_body, body[:-1] + long) == "encoding"
    assert outcome(read_body, b"\x83\x59\x00" + body[2:]) == "encoding"
