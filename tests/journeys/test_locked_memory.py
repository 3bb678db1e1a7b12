# SPDX-License-Identifier: EUPL-1.2
"""What is left in memory after Kansli was locked: the real program in a process of its own, scanned from outside."""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.lock_settings import CLOSE, LOCK
from app.store.store import Store
from sync.client.account.account_secrets import Account
from tests.demo.doing import call, editor, open_room, opened
from tests.demo.driver import Client, named
from tests.demo.stage import until
from tests.demo.words import said
from tests.journeys.desks import PASSPHRASE, offices

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="reads /proc of a process that only root may read"
)
ROOM = "Tillsyn 2026-1184 åäö"
SAID = "Kanariemeddelande åäö 🐤"
WRITTEN = "Kanariestycke i ett beslut åäö 🐤"
TITLE = "Beslut om tillsyn"
CHUNK = 1 << 22


async def _account(folder: Path) -> tuple[Path, dict[str, list[bytes]]]:
    """Makes a profile with a message and a document. Returns its folder and the secrets that may not be found, each in
    the forms in which a process may hold it."""
    async with offices(folder) as o:
        (desk,) = await o.hire("Handläggare")
        session = desk.session
        session.settings.set(LOCK, CLOSE)
        room = await o.room(desk)
        session.service(CHAT).send(room, SAID)
        obj = session.service(DOCUMENTS).create(room, TITLE)
        session.service(DOCUMENTS).open(obj).splice(0, 0, WRITTEN)
        session.service(DOCUMENTS).close(obj)
        return o.w.folder / "Handläggare", {
            "message": _text(SAID),
            "document": _text(WRITTEN),
            "passphrase": _text(PASSPHRASE),
            **{name: _key(key) for name, key in _keys(session.store, room).items()},
        }


def _keys(store: Store, room: RoomId) -> dict[str, bytes]:
    account = Account.decode(store.load_account() or b"")
    _, content, _ = store.keys(room)[-1]
    return {
        "store key": store.db._key,
        "room key": content,
        "device's signing seed": account.secrets.sign,
    }


def _text(text: str) -> list[bytes]:
    """The text as UTF-8, as UTF-16 (Qt), and as UTF-32 (Python, for a text with an emoji)."""
    return [text.encode(), text.encode("utf-16-le"), text.encode("utf-32-le")]


def _key(key: bytes) -> list[bytes]:
    return [key, key.hex().encode(), key.hex().encode("utf-16-le")]


def _found(pid: int, secrets: Mapping[str, list[bytes]]) -> set[str]:
    """Which secrets are in the memory of a process."""
    found: set[str] = set()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)  # what only can be read is the libraries' own
            if span is not None:
                found |= _in_span(memory.fileno(), int(span[1], 16), int(span[2], 16), secrets)
    return found


def _in_span(memory: int, start: int, end: int, secrets: Mapping[str, list[bytes]]) -> set[str]:
    found: set[str] = set()
    for at in range(start, end, CHUNK):
        try:
            read = os.pread(memory, min(CHUNK + 512, end - at), at)
        except OSError:  # of a file that has become shorter
            continue
        found |= {name for name, forms in secrets.items() if any(form in read for form in forms)}
    return found


def _children(pid: int) -> list[int]:
    """Process numbers of the children, whichever thread started them."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += map(int, path.read_text().split())
    return found


def test_attack_after_locking_no_key_and_no_text_is_left_in_the_process(tmp_path: Path) -> None:
    """Audit finding 13: after locking, 8 copies of a message and the database's key were still there."""
    profile, secrets = asyncio.run(_account(tmp_path))
    client = Client(
        "låst",
        tmp_path / "client",
        ["--data", str(profile)],
        {"QT_QPA_PLATFORM": "offscreen", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
    )
    try:
        client.start()
        client.enter(named(said("Passphrase"), "EditableText"), PASSPHRASE, "Return")
        opened(client)
        open_room(client, ROOM)
        call(client, TITLE)
        client.wait(editor(), contains=WRITTEN)
        pid = client.pid
        assert _found(pid, secrets) >= secrets.keys() - {"passphrase"}  # that one may be gone by chance
        until(lambda: _children(pid), "the worker runs")
        client.restart("keys", sequence="Ctrl+Shift+L")
        client.wait(named(said("Passphrase"), "EditableText"), text="")
        assert client.pid == pid
        assert _found(pid, secrets) == set()
        assert _children(pid) == []
    finally:
        client.kill()
