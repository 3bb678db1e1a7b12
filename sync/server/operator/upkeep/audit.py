# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server audit`: lists what administrators did, from a data folder or a backup, and verifies that this
admin log is as it was written. The database is only read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.server.config import Config, ConfigError
from sync.server.operator.upkeep.manifest import NAME, read_manifest
from sync.server.operator.upkeep.reading import Reading
from sync.server.store.admin_chain import (
    AdminHead,
    AdminRow,
    Broken,
    first_broken,
    last_of,
    read_entry,
    stored_head,
    was_begun,
)
from sync.server.store.sql_admin_log import HEAD, LOGGED
from sync.trust.person.agency import invite_id

_WORDS = {
    "missing": "is missing",
    "chain": "was changed, or the one before it",
    "malformed": "cannot be read",
    "unexpected": "was written by no command",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One administrator's command, as `audit` lists it. `n`: its number in the admin log. `time`: when, in ms. `user`:
    the login name of the user who gave it. `sudo_user`: the user who called sudo for it, "" without sudo. `command`:
    its name. `result`: "ok" or a code. `about`: whom or what it concerned; ids in hex, numbers and words by their
    names. `hash`: of the entry, in hex."""

    n: int
    time: int
    user: str
    sudo_user: str
    command: str
    result: str
    about: dict[str, str | int]
    hash: str


def audit(data: Path) -> list[AuditLine]:
    """Every command that was recorded in `data`, a data folder or a backup, the oldest first. An invitation that was
    used also says by which `person`. ConfigError if there is no database or an entry cannot be read, StoreError if the
    database cannot."""
    reading = opened(data)
    try:
        guests = _guests(reading)
        return [_line(guests, row) for row in rows(reading)]
    finally:
        reading.close()


def _line(guests: Mapping[str, str], row: AdminRow) -> AuditLine:
    try:
        entry = read_entry(row)
    except ValueError as e:
        raise ConfigError(f"entry {row.n} of the admin log cannot be read: audit --verify says more") from e
    return AuditLine(
        n=row.n,
        time=entry.t,
        user=entry.user,
        sudo_user=entry.sudo_user,
        command=entry.command,
        result=entry.result,
        about={**entry.about, **_guest(guests, entry.about)},
        hash=row.hash.hex(),
    )


def _guests(reading: Reading) -> dict[str, str]:
    """By the id of each used invitation: the id of the person who used it, both in hex. The log's entries do not have
    it, since a person has no id yet when the invitation is made."""
    used = reading.rows("invites", "SELECT invite_pk, used_by FROM invites WHERE used_by IS NOT NULL")
    return {invite_id(invite_pk).hex(): person.hex() for invite_pk, person in used}


def _guest(guests: Mapping[str, str], about: Mapping[str, str | int]) -> dict[str, str]:
    person = guests.get(str(about.get("invitation", "")))
    return {} if person is None or "person" in about else {"person": person}


def verify_audit(data: Path, expected: AdminHead | None = None) -> str:
    """Verifies the admin log in the folder `data`. Returns a sentence that the chain is whole, with its head.
    ConfigError names the first entry that is missing or changed. `expected` is a head that somebody noted elsewhere
    before: ConfigError if entry `expected.n` is gone or has a different hash."""
    reading = opened(data)
    try:
        with reading.snapshot():
            found, head = list(rows(reading)), kept_head(reading)
    finally:
        reading.close()
    broken = first_broken(found, head)
    if broken is not None:
        raise ConfigError(in_words(broken, head.n))
    if expected is not None and expected.n > head.n:
        raise ConfigError(f"the admin log ends at entry {head.n}: entry {expected.n}, which was noted, is gone")
    if expected is not None and expected != last_of(found[: expected.n]):
        raise ConfigError(f"entry {expected.n} of the admin log is not the one that was noted")
    return f"The admin log is whole: {head.n} entries. Note this elsewhere: {head.format()}"


def kept_until(data: Path) -> int:
    """The number of the newest entry of the admin log that came from the backup, in the folder `data` that was just
    restored. A restore prints this number, since commands that were given after the backup are not in the log. The
    restore must be the last command in this folder, so its own entry is the head."""
    reading = opened(data)
    try:
        return kept_head(reading).n - 1
    finally:
        reading.close()


def in_words(broken: Broken, written: int) -> str:
    """A sentence on the first broken entry; `written` is how many entries were ever written."""
    if broken.code == "head":
        last = f"entry {broken.n} is the last that is there" if broken.n else "no entry is there"
        return f"the admin log is broken: {last}, and the number of the last that was written is lost or damaged"
    return f"the admin log is broken: entry {broken.n} {_WORDS[broken.code]} ({written} were written)"


def opened(data: Path) -> Reading:
    """Opens the database of `data`, a data folder or a backup, for reading; the caller closes it. ConfigError if there
    is none, or a backup's manifest cannot be read. StoreError if the database cannot be read, or a later version of the
    server wrote it."""
    path = Config(data=data).database
    if (data / NAME).exists():
        path = data / read_manifest(data).database
    if not path.exists():
        raise ConfigError(f"{path} is missing: run init first")
    return Reading(path)


def rows(reading: Reading) -> Iterator[AdminRow]:
    """The rows of the admin log in the open database `reading`, by their numbers from the lowest on; none if it has no
    such log. Damaged if the database cannot be read, also after some rows."""
    for n, body, digest in reading.rows("admin_log", "SELECT n, body, hash FROM admin_log ORDER BY n"):
        yield AdminRow(n=n, body=body.decode("utf-8", "replace"), hash=digest)


def kept_head(reading: Reading) -> AdminHead:
    """The number and hash of the newest entry that was ever written to the admin log, as the database stores it beside
    the entries. Entries that were deleted from the end of the log are noticed by it. EMPTY if no entry was ever
    written. UNKNOWN if that value is damaged, or if it is missing although there are entries or the server has copied
    some to its own log. Damaged or Locked if the database cannot be read."""
    head, logged = (_meta(reading, name) for name in (HEAD, LOGGED))
    has_rows = reading.one("admin_log", "SELECT n FROM admin_log LIMIT 1") is not None
    return stored_head(head, begun=was_begun(logged, has_rows=has_rows))


def _meta(reading: Reading, name: str) -> str | None:
    row = reading.one("meta", "SELECT value FROM meta WHERE name = ?", (name,))
    return row[0].decode(errors="replace") if row is not None else None
