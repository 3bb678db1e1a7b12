# SPDX-License-Identifier: EUPL-1.2
"""Reads the files of tests/vectors/sync-1-*.json."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def load(name: str) -> Any:
    return json.loads((HERE.parent / f"vectors/sync-1-{name}.json").read_text())


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def shown(value: Any) -> Any:
    """A value as the vectors write it in JSON: bytes are {"b": hex}, maps {"m": [[key, value] …]}."""
    if isinstance(value, dict):
        return raw(value["b"]) if "b" in value else {shown(k): shown(v) for k, v in value["m"]}
    return [shown(v) for v in value] if isinstance(value, list) else value
