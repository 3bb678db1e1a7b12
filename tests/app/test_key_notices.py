# SPDX-License-Identifier: EUPL-1.2
"""Notices about people's keys where the program ends in between, or a mark changes. tests/journeys/test_trust.py has
the rest over real sockets."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from app.core.ids import Uid
from app.people.notices import KeyWatch
from app.store.store import Store
from sync.client.engine import Engine

ME = Uid(b"M" * 16)


class Logs:
    """What the engine says of people's key logs: all of these accounts have ended."""

    uid = ME

    def is_over(self, uid: Uid) -> bool:
        return True

    def key_changes(self, uid: Uid, seq: int) -> Sequence[object]:
        return ()

    def log_seq(self, uid: Uid) -> int:
        return 0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.create(tmp_path / "store.db", b"k" * 32, {})
    made.set_me(ME)
    return made


def knows(store: Store, count: int) -> set[Uid]:
    """People whose logs the store has."""
    uids = [Uid(bytes([n]) * 16) for n in range(1, count + 1)]
    for uid in uids:
        store.append_user_log(uid, 0, [(b"entry", b"s" * 64)])
        store.put_person(uid, {"name": f"Registrator {uid[0]} å", "title": "", "unit": ""}, b"salt")
    return set(uids)


def notices(store: Store) -> KeyWatch:
    return KeyWatch(store.key_notices, store.people, cast("Engine", Logs()))


async def test_resets_that_a_cut_off_beginning_did_not_reach_are_found_by_the_next(store: Store) -> None:
    uids = knows(store, 20)
    cut = asyncio.ensure_future(notices(store).look())
    await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    again = notices(store)
    assert again.resets() < uids
    await again.look()
    assert again.resets() == uids
    assert again.open() == []
    store.close()


def test_a_mark_that_is_taken_back_takes_the_notices_about_the_devices_with_it(store: Store) -> None:
    (uid,) = knows(store, 1)
    store.people.set_verified(uid, True)
    store.key_notices.begin([uid])
    store.key_notices.advance(uid, 1, [("device-added", 1)])
    made = notices(store)
    assert [notice.kind for notice in made.open()] == ["device-added"]
    store.people.set_verified(uid, False)
    assert made.open() == []
    store.close()
