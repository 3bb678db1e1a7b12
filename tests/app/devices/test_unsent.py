# SPDX-License-Identifier: EUPL-1.2
"""The file of unsent work keeps its format, and a damaged one is told from a good one."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.devices.unsent import Body, _read, _read_part
from app.errors import FileUnreadable
from sync.client import keepsake
from sync.client.account import Account
from sync.errors import Reject
from sync.trust.userlog import UserLog

VECTORS = Path(__file__).parents[2] / "vectors"
FILE = VECTORS / "unsent-1.kansli-unsent"


def test_the_file_that_version_1_wrote_is_read(tmp_path: Path) -> None:
    """tests/vectors/make_unsent_1.py wrote it, once; it is never written again."""
    told: Any = json.loads((VECTORS / "unsent-1.json").read_text(encoding="utf-8"))
    entries = [(bytes.fromhex(body), bytes.fromhex(sig)) for body, sig in told["log"]]
    log = UserLog.replay(entries, bytes.fromhex(told["agency"]))
    account = Account.decode(bytes.fromhex(told["account"]))
    head, packed = _read(FILE)
    dev, body = keepsake.take(account, log, head, packed)
    assert dev == account.dev
    found = msgspec.msgpack.decode(body, type=Body)
    assert found.version == 1
    room, obj = b"\x01" * 16, b"\x02" * 16
    assert [(c.room, c.obj, c.change_id[:1], c.live, c.data.decode(), len(c.parts)) for c in found.changes] == [
        (room, obj, b"\x03", False, "Skrivet utan nät", 0),
        (room, obj, b"\x04", True, "med en fil", 1),
    ]
    assert [(d.room, d.obj, d.data) for d in found.drafts] == [(room, obj, b"utkast")]
    (part,) = found.parts
    assert _read_part(FILE, len(head) + len(packed), part.size) == bytes(range(256)) * 8


def test_a_file_that_is_not_there_cut_off_or_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        _read(tmp_path / "none")
    with pytest.raises(FileUnreadable):
        _read_part(tmp_path / "none", 0, 5)
    other = tmp_path / "other"
    other.write_bytes(FILE.read_bytes()[:1400])
    with pytest.raises(Reject, match="malformed"):
        _read(other)
    other.write_bytes(b"%PDF-1.7" * 1000)
    with pytest.raises(Reject, match="malformed"):
        _read(other)
    with pytest.raises(Reject, match="malformed"):
        _read_part(FILE, FILE.stat().st_size - 3, 5)
    with pytest.raises(Reject, match="malformed"):
        _read_part(FILE, 0, 1 << 40)
