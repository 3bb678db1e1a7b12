# SPDX-License-Identifier: EUPL-1.2
"""Rows for the tests of the stores, and both stores, one after the other."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sync.server.store.base import EntryRow, InviteRow, ItemRow, Placement, Store, Tally, UserRow
from sync.server.store.memory import MemoryStore
from sync.server.store.sql import SqlStore

ROOM, OTHER = b"r" * 16, b"s" * 16
ANNA, BERT = b"a" * 16, b"b" * 16
DEV = b"d" * 16
SENT = Tally("device", DEV)


def invite(pk: bytes = b"p" * 32) -> InviteRow:
    return InviteRow(invite_pk=pk, cert_body=b"c", cert_sig=b"s" * 64, salt=b"t", record=b"r", not_after=2000)


def user(uid: bytes = ANNA, search: str = "handläggare å 🙂 enheten för bygglov") -> UserRow:
    return UserRow(uid=uid, seq=0, head=b"h" * 32, salt=b"t", record=b"r", search=search, root_pk=b"k" * 32)


def entry(seq: int) -> EntryRow:
    return EntryRow(seq=seq, body=b"body %d" % seq, sig=b"s" * 64)


def item(n: int, ct: bytes | None = b"sealed") -> ItemRow:
    mark = n.to_bytes(4, "big")
    return ItemRow(n=n, t=1000 + n, kind=2, id=b"i" * 28 + mark, rh=b"h" * 28 + mark, body=b"b", sig=b"s", ct=ct)


def placement(expected_n: int, count: int = 1, room: bytes = ROOM, **more: Any) -> Placement:
    items = [item(expected_n + k + 1) for k in range(count)]
    return Placement(room=room, expected_n=expected_n, items=items, size_bytes=100, by=(SENT,), day=3, **more)


@pytest.fixture(params=["memory", "sql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqlStore(tmp_path / "s.sqlite3")
    await made.open()
    yield made
    await made.close()
