# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/store-6.db with version 6 of the store: what happened to people's keys, beside what version 5
has. Kept to show what is in it; not to be run again."""

from pathlib import Path

from app.core.ids import Uid
from app.store.migrations import VERSION
from app.store.store import Store
from tests.app.store.conftest import KINDS

PERSON, OTHER = Uid(b"P" * 16), Uid(b"Q" * 16)


def write(path: Path) -> None:
    """A verified person with a device more, another of the same staff record, and one whom the agency had reset."""
    assert VERSION == 6
    store = Store.create(path, bytes(range(32)), KINDS)
    store.set_me(Uid(b"M" * 16))
    for uid in (PERSON, OTHER):
        store.append_user_log(uid, 0, [(b"entry %d" % seq, b"s" * 64) for seq in range(3)])
        store.put_person(uid, {"name": "Registrator åäö", "title": "Registrator", "unit": "Registratur"})
    store.key_notices.begin_new()
    store.people.set_verified(PERSON, True, t=7)
    store.append_user_log(PERSON, 3, [(b"entry 3", b"s" * 64)])
    store.key_notices.advance(PERSON, 3, [("device-added", 3)])
    store.key_notices.put(PERSON, "twin", other=OTHER)
    store.key_notices.put(OTHER, "reset", done=True)
    store.append_user_log(OTHER, 3, [(b"entry 3", b"s" * 64)])
    store.close()


if __name__ == "__main__":
    write(Path(__file__).parent / "store-6.db")
