# SPDX-License-Identifier: EUPL-1.2
"""Values of the encoding as JSON: bytes are {"b": hex}, maps {"m": [[key, value], …]}, every other value is itself."""

from typing import Any

Json = Any


def show(value: object) -> Json:
    """The value as JSON."""
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, dict):
        return {"m": [[show(k), show(v)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [show(v) for v in value]
    return value


def read(value: Json) -> object:
    """The value that `show` showed."""
    if isinstance(value, dict):
        if "b" in value:
            return bytes.fromhex(value["b"])
        return {read(k): read(v) for k, v in value["m"]}
    if isinstance(value, list):
        return [read(v) for v in value]
    return value
