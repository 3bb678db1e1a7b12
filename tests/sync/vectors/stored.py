# SPDX-License-Identifier: EUPL-1.2
"""Reads the vectors: tests/vectors/sync-1-*.json."""

import json
from pathlib import Path
from typing import Any

from sync.trust.formats.items import Item
from sync.trust.person.user_log import UserLog
from tests.sync.trust.people import Book

FOLDER = Path(__file__).parents[2] / "vectors"


def load(name: str) -> Any:
    return json.loads((FOLDER / f"sync-1-{name}.json").read_text())


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


def book_of(v: Any) -> Book:
    book = Book()
    for p in v["people"]:
        log = UserLog.replay([(raw(b), raw(s)) for b, s in p["entries"]], raw(v["agency_pk"]))
        book.logs[log.uid] = log
    return book


def items_of(v: Any) -> list[Item]:
    return [
        Item(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), None if i["ct"] is None else raw(i["ct"]))
        for i in v["items"]
    ]
