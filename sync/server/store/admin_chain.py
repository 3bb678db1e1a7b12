# SPDX-License-Identifier: EUPL-1.2
"""The admin log: which administrator gave which command, when and about whom. Each row's hash covers the row before it.

A row's body is one line of JSON, so that a copy of the lines (the server's log has them) can be checked with SHA-256
and nothing of ours: hash(n) = SHA-256("kansli/1 admin-log" ‖ hash(n-1) ‖ body(n)), where hash(0) is 32 zero bytes.

▲ An attacker who may write to the database can also write a whole new chain. Only a copy elsewhere shows that.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_DOMAIN = b"kansli/1 admin-log"
START = bytes(32)
"""What the first row's hash covers instead of a row before it."""
OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminEntry:
    """One command that an administrator gave, as the admin log records it. `t`: when (ms since 1970, by the server
    machine's clock). `command`: the command's name. `user` and `sudo_user`: login names of the machine ("" for none).
    `about`: whom or what the command was about, as ids in hex, numbers and words of ours, never a name of staff.
    `result`: "ok" or an error code."""

    t: int
    command: str
    user: str
    sudo_user: str
    about: Mapping[str, str | int]
    result: str = OK


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRow:
    """One row of the admin log. `n`: its number, from 1. `body`: the entry as a line of JSON. `hash`: a hash over
    `body` and the hash of the row before it (32 zero bytes for the first row), so that a change of any row shows."""

    n: int
    body: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class AdminHead:
    """The number and hash of the newest row of the admin log that was ever written; 0 and 32 zero bytes for an empty
    log. They are stored apart from the rows: otherwise nobody could detect that the last rows were deleted."""

    n: int
    hash: bytes

    def format(self) -> str:
        """As the database keeps it and `audit --expect` takes it."""
        return f"{self.n}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> "AdminHead":
        """Parses `text` of the form `n:hash`, the hash in hex, as `format` writes it: as the database keeps it, or as
        an administrator noted it and gives it to `audit --expect`. ValueError for text of another form."""
        n, _, digest = text.partition(":")
        head = cls(int(n), bytes.fromhex(digest))
        if head.n < 0 or len(head.hash) != len(START):
            raise ValueError("head")
        return head


EMPTY = AdminHead(0, START)
UNKNOWN = AdminHead(0, b"")
"""The head of a log whose stored head is damaged or was deleted: how many entries were written is not known. No entry
can have it."""


def was_begun(logged: object, *, has_rows: bool) -> bool:
    """Whether the admin log was begun: it has rows, or a server has copied some. `logged` is what the database stores
    as the number of the last row that was copied, None if nothing is stored. A damaged number counts as copied rows:
    otherwise it could hide that all rows and the head are gone."""
    return has_rows or logged not in (None, "0")


def stored_head(text: object, *, begun: bool) -> AdminHead:
    """The head that the database stores as `text`, None if nothing is stored. `begun`: whether the log was begun
    (`was_begun`). UNKNOWN if the stored head is damaged, or missing although the log was begun."""
    if text is None:
        return UNKNOWN if begun else EMPTY
    try:
        return AdminHead.parse(text) if isinstance(text, str) else UNKNOWN
    except ValueError:
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row of the admin log that fails verification, by its number `n`. `code`: "missing"; "chain" (the hash
    does not fit: the row or the one before it was changed); "malformed" (the body cannot be read); "unexpected" (the
    row comes after the stored head); "head" (the row is the last that is there, `n` is 0 for none, and the stored head
    is lost or damaged, so later rows may be missing)."""

    n: int
    code: str


class AdminLog(Protocol):
    """The part of the store, as a Protocol, that keeps the admin log: which administrator gave which command. A write
    is durable when it returns, as in all of `sync.server.store.base.Store`."""

    def record_with_next_write(self, entry: AdminEntry) -> None:
        """Records an administrator's command (`entry`) in the admin log, together with what the command changes: the
        entry is kept in memory, and the next write that succeeds, of whatever kind, stores it in the same transaction.
        Call it just before that write; if the write fails, the entry waits for the one after it. A second call before a
        write replaces the entry: the first is then never recorded."""
        ...

    async def admin_rows(self, after: int) -> list[AdminRow]:
        """Rows with n > after, in order."""
        ...

    async def admin_head(self) -> AdminHead:
        """The newest row that was ever written, EMPTY for none. UNKNOWN if what the store keeps of it is damaged or
        gone."""
        ...

    async def admin_logged(self) -> int:
        """The number of the last row that a server has copied to its log; 0 for none."""
        ...

    async def put_admin_logged(self, n: int) -> None: ...


def chain(head: AdminHead, entry: AdminEntry) -> AdminRow:
    """Makes the admin log's next row after `head`, and stores nothing: the number after that of `head`, `entry` as
    JSON, and its hash, which covers the hash of `head`."""
    fields = {
        "n": head.n + 1,
        "t": entry.t,
        "command": entry.command,
        "user": entry.user,
        "sudo_user": entry.sudo_user,
        "about": dict(entry.about),
        "result": entry.result,
    }
    body = json.dumps(fields, separators=(",", ":"))
    return AdminRow(n=head.n + 1, body=body, hash=_hash(head.hash, body))


def read_entry(row: AdminRow) -> AdminEntry:
    """The entry in a row of the admin log. ValueError if the row's body is not an entry of this format, or has another
    number than the row. The row's hash is not checked; `first_broken` does that."""
    try:
        fields = json.loads(row.body)
        if fields.pop("n") != row.n:
            raise ValueError("n")
        entry = AdminEntry(**fields)
    except (AttributeError, KeyError, RecursionError, TypeError) as e:
        raise ValueError("entry") from e
    texts = entry.command, entry.user, entry.sudo_user, entry.result
    if not isinstance(entry.t, int) or not all(isinstance(text, str) for text in texts):
        raise ValueError("entry")
    if not isinstance(entry.about, dict) or not all(isinstance(v, str | int) for v in entry.about.values()):
        raise ValueError("about")
    return entry


def first_broken(rows: Iterable[AdminRow], head: AdminHead, *, after: AdminHead = EMPTY) -> Broken | None:
    """Checks `rows` of the admin log, in order, which begin after the row `after` (of which a caller has checked the
    chain before; by default they are the whole log). `head` is the newest row that was ever written. Returns the first
    row that is missing, changed, unreadable or beyond `head`; None if every row up to `head` is as it was written and
    no other follows. For the head UNKNOWN there is always one, the last row at the latest."""
    at = after
    for row in rows:
        if row.n != at.n + 1:
            return Broken(at.n + 1, "missing")
        if row.n > head.n and head != UNKNOWN:
            return Broken(row.n, "unexpected")
        if _hash(at.hash, row.body) != row.hash:
            return Broken(row.n, "chain")
        try:
            read_entry(row)
        except ValueError:
            return Broken(row.n, "malformed")
        at = AdminHead(row.n, row.hash)
    if head == UNKNOWN:
        return Broken(at.n, "head")
    if at.n < head.n:
        return Broken(at.n + 1, "missing")
    return None if at == head else Broken(at.n, "chain")


def last_of(rows: Sequence[AdminRow]) -> AdminHead:
    """The head of a chain that ends with these rows."""
    return AdminHead(rows[-1].n, rows[-1].hash) if rows else EMPTY


def _hash(before: bytes, body: str) -> bytes:
    return hashlib.sha256(_DOMAIN + before + body.encode("utf-8", "surrogatepass")).digest()
