# SPDX-License-Identifier: EUPL-1.2
"""The deterministic encoding: each value has one encoding, and no other bytes decode."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crypto.encoding import MAX_U64, dec, each, enc
from sync.errors import BugError, Reject

LIMIT = 1 << 20
scalars = st.one_of(st.integers(0, MAX_U64), st.binary(max_size=40), st.text(max_size=20), st.booleans(), st.none())
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.integers(0, MAX_U64), inner, max_size=5),
        st.dictionaries(st.text(max_size=8), inner, max_size=5),
    ),
    max_leaves=20,
)


def depth(value: Any) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    if depth(value) > 8:
        with pytest.raises(BugError):
            enc(value)
    else:
        assert dec(enc(value), limit=LIMIT) == value


@given(st.binary(max_size=60))
def test_attack_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        value = dec(data, limit=LIMIT)
    except Reject:
        return
    assert enc(value) == data


@given(values, st.data())
def test_attack_a_changed_byte_never_gives_the_same_value(value: Any, data: st.DataObject) -> None:
    if depth(value) > 8:
        return
    raw = bytearray(enc(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        other = dec(bytes(raw), limit=LIMIT)
    except Reject:
        return
    # True == 1 in Python: compare as encodings, which are what is signed
    assert enc(other) != enc(value)


@pytest.mark.parametrize(
    ("hex_bytes", "why"),
    [
        ("", "nothing"),
        ("1817", "integer not in its shortest form"),
        ("190010", "two bytes for a small integer"),
        ("1a00001000", "four bytes for a small integer"),
        ("1b0000000010000000", "eight bytes for a small integer"),
        ("20", "negative"),
        ("c001", "tag"),
        ("f93c00", "float"),
        ("fb3ff0000000000000", "double"),
        ("f7", "undefined"),
        ("f820", "simple value"),
        ("9fff", "indefinite array"),
        ("5f41ffff", "indefinite bytes"),
        ("bfff", "indefinite map"),
        ("a201000100", "a key twice"),
        ("a202000100", "keys out of order"),
        ("a20100616100", "two key types"),
        ("a1410000", "byte string as key"),
        ("a1f500", "bool as key"),
        ("a18000", "array as key"),
        ("61ff", "text that is not UTF-8"),
        ("63eda080", "surrogate"),
        ("4201", "truncated bytes"),
        ("8201", "truncated array"),
        ("0000", "trailing bytes"),
        ("9affffffff", "a count without members"),
        ("5bffffffffffffffff", "a length without bytes"),
        ("81" * 9 + "00", "depth nine"),
    ],
)
def test_attack_another_form_is_refused(hex_bytes: str, why: str) -> None:
    with pytest.raises(Reject) as e:
        dec(bytes.fromhex(hex_bytes), limit=LIMIT)
    assert e.value.code == "encoding", why


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(Reject) as e:
        dec(enc(b"x" * 100), limit=50)
    assert e.value.code == "oversize"


def nested(make: Callable[[Any], Any]) -> Any:
    value: Any = 0
    for _ in range(9):
        value = make(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        -1, 2**64, 1.0, {1: 0, "a": 0}, {b"a": 0}, {1, 2}, bytearray(b"x"), "\ud800", nested(lambda v: [v]),
        nested(lambda v: {"a": v}),
    ],
)  # fmt: skip
def test_what_has_no_encoding_is_our_own_fault(value: object) -> None:
    with pytest.raises(BugError):
        enc(value)


def test_map_keys_are_ordered_by_their_encoding() -> None:
    assert enc({"å": 1, "b": 2, "aa": 3}) == bytes.fromhex("a3616202626161" + "03" + "62c3a501")
    assert enc({300: 0, 2: 0, 24: 0}) == bytes.fromhex("a30200181800" + "19012c00")


@given(st.lists(values.filter(lambda value: depth(value) < 8), max_size=40))
def test_an_arrays_items_come_one_by_one_as_they_were(items: list[Any]) -> None:
    data = enc(items)
    read = list(each(data, limit=len(data)))
    assert [value for value, _ in read] == dec(data, limit=len(data))
    assert data.endswith(b"".join(raw for _, raw in read))


def test_a_long_arrays_items_come_one_by_one() -> None:
    for count in (23, 24, 255, 256, 65_536):
        data = enc([7] * count)
        assert list(each(data, limit=len(data))) == [(7, b"\x07")] * count


@pytest.mark.parametrize(
    ("hex_bytes", "code"),
    [
        ("", "encoding"),
        ("01", "encoding"),  # no array
        ("9f00ff", "encoding"),  # of indefinite length
        ("9c00", "encoding"),
        ("8200", "encoding"),  # cut off
        ("824100", "encoding"),
        ("9817" + "00" * 23, "encoding"),  # its length not in the shortest form
        ("99", "encoding"),
        ("810000", "encoding"),  # more than the array
        ("8161ff", "encoding"),  # not UTF-8
        ("81" + "40" * 9, "oversize"),
    ],
)
def test_attack_an_array_in_another_form_is_refused_where_it_is_reached(hex_bytes: str, code: str) -> None:
    with pytest.raises(Reject) as e:
        list(each(bytes.fromhex(hex_bytes), limit=32 if code == "encoding" else 8))
    assert e.value.code == code
