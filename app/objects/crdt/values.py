# SPDX-License-Identifier: EUPL-1.2
"""Converts values between plain Python and pycrdt."""

from collections.abc import Mapping
from typing import Any

from app.objects.crdt.change import TextOp
from app.objects.crdt.library import pycrdt

MAX_DEPTH = 16
"""How deep maps and lists may lie in each other. What a tool writes is at most four deep."""
_MAX_WHOLE = 2**53


def text_op(op: Mapping[str, Any]) -> TextOp:
    """Converts one step of pycrdt's change of a text to ours (skip, delete or insert). Anything embedded is one U+FFFC.
    Whole numbers in attributes become int."""
    attrs = {k: _number(v) for k, v in op["attributes"].items()} if op.get("attributes") else None
    if "insert" in op:
        insert = op["insert"]
        return TextOp(insert=insert if isinstance(insert, str) else "\ufffc", attrs=attrs)
    return TextOp(retain=int(op.get("retain", 0)), delete=int(op.get("delete", 0)), attrs=attrs)


def attrs_of(attrs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Converts a character's attributes to plain Python, without those that were taken away (None)."""
    return {k: _number(v) for k, v in attrs.items() if v is not None} if attrs else {}


def _number(value: Any) -> Any:
    """The CRDT knows only floating numbers; whole ones come back as int, of up to 309 digits: readers bound them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def to_plain(value: Any, depth: int = 0) -> Any:
    """Converts a value of the CRDT to plain Python: a map to a dict, a text to str, whole numbers to int, a shared
    array, which no tool of ours makes, to a list. `depth`: how deep the value is nested, 0 for the
    outermost. ▲ A value that is nested deeper than MAX_DEPTH becomes None: that value alone is ignored."""
    if depth > MAX_DEPTH:
        return None
    match value:
        case pycrdt.Map():
            return {key: to_plain(value[key], depth + 1) for key in sorted(value.keys())}
        case pycrdt.Text():
            return str(value)
        case list() | pycrdt.Array():
            return [to_plain(item, depth + 1) for item in value]
        case dict():
            return {key: to_plain(item, depth + 1) for key, item in value.items()}
        case _:
            return _number(value)


def to_shared(value: Any) -> Any:
    """Converts a value to what pycrdt accepts: a dict becomes a nested map; bytearray becomes bytes, an int from 2**53
    on a float. ▲ It accepts every value that `to_plain` can read, also those that no tool of ours writes. Otherwise a
    board that holds such a value could not be copied."""
    match value:
        case dict():
            return pycrdt.Map({key: to_shared(item) for key, item in value.items()})
        case list():
            return [_member(item) for item in value]
        case _:
            return _member(value)


def _member(value: Any) -> Any:
    """Converts a value that is no map, or that is inside a list, to what pycrdt accepts (bytearray to bytes, an int
    from 2**53 on to float). Dicts in it stay plain dicts, which the CRDT stores as whole values."""
    match value:
        case dict():
            return {key: _member(item) for key, item in value.items()}
        case list():
            return [_member(item) for item in value]
        case bytearray():
            return bytes(value)
        case int() if abs(value) >= _MAX_WHOLE:
            return float(value)
        case _:
            return value
