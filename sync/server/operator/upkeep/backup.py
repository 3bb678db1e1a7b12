# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server backup`: a consistent copy of a data folder, also of one that a server writes to.

The database is copied in one snapshot, parts of files after it, so that whatever it names lies there; parts never
change, so the next backup into the same folder copies new ones only. The manifest is written last: a backup that is
cut off leaves the one before it as it was, and what it left beside that is removed by the next before anything is
copied: it may have filled the disk. One backup at a time works in a folder, and only on its own agency's.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from sync.server.config import Config, ConfigError
from sync.server.host.files import sync_folder
from sync.server.host.folder_hold import held
from sync.server.host.identity import read_agency_pk
from sync.server.objects.filesystem import part_path
from sync.server.operator.upkeep.manifest import (
    FORMAT,
    KEYS,
    NAME,
    Manifest,
    copy_file,
    read_manifest,
    sha256_of,
)
from sync.server.operator.upkeep.reading import Damaged, Reading
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Full
from sync.trust.person.agency import agency_fingerprint

PUBLIC = ("agency.pub", "server.cert", "escrow.cert", "agency.where", "tls.pem", "ca.pem")
"""Without the first two a backup could not be verified; none is a secret."""
SECRET = ("server.key", "tls.key", "ca.key")
_PAGES = 2048
"""Copied at a time: 8 MiB."""


def backup(data: Path, target: Path, step: Callable[[str, int, int], None], *, with_keys: bool = False) -> Manifest:
    """Brings the backup in `target` up to date. `step` hears (what, done, all) now and then.

    Parts that are missing at the source are counted in the manifest. ConfigError (also if it is another agency's, or
    another backup is at work in it), Damaged, Full or OSError.
    """
    source = Config(data=data).database
    if not source.exists():
        raise ConfigError(f"{data}: nothing here yet: run init first")
    fingerprint = agency_fingerprint(read_agency_pk(data)).hex()
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    if target.samefile(data):
        raise ConfigError(f"{target} is the data folder itself: a backup needs another one")
    with held(target, "another backup is at work in it"):
        _clear(target, fingerprint)
        return _copy(data, target, fingerprint, step, with_keys)


def _clear(target: Path, fingerprint: str) -> None:
    """Removes what a backup that was cut off left beside the whole one. ConfigError if that is of another agency."""
    former = read_manifest(target) if (target / NAME).exists() else None
    if former is not None and former.agency != fingerprint:
        raise ConfigError(f"{target} has the backup of another agency: a backup needs a folder of its own")
    _sweep_databases(target, former.database if former is not None else "")


def _copy(
    data: Path, target: Path, fingerprint: str, step: Callable[[str, int, int], None], with_keys: bool
) -> Manifest:
    source, began = Config(data=data).database, now_ms()
    beside = target / f".{os.urandom(8).hex()}.new"
    try:
        _copy_database(source, beside, step)
        sha256 = sha256_of(beside)
        name = f"server-{sha256[:16]}.sqlite3"
        beside.replace(target / name)
    finally:
        beside.unlink(missing_ok=True)
    reading = Reading(target / name)
    try:
        named, missing = _copy_parts(reading, Config(data=data).blobs, target / "blobs", step)
        people, rooms, items = (_count(reading, table) for table in ("users", "rooms", "items"))
    finally:
        reading.close()
    for file in PUBLIC:
        if (data / file).exists():
            copy_file(data / file, target / file)
    for file in SECRET if with_keys else ():
        if (data / file).exists():
            copy_file(data / file, target / KEYS / file)
    made = Manifest(
        format=FORMAT,
        time=began,
        agency=fingerprint,
        schema=reading.version,
        database=name,
        size_bytes=(target / name).stat().st_size,
        sha256=sha256,
        people=people,
        rooms=rooms,
        items=items,
        blobs=len(named),
        blobs_missing=missing,
        keys=with_keys,
    )
    made.write(target)
    _sweep(target, name, named)
    return made


def _copy_database(source: Path, target: Path, step: Callable[[str, int, int], None]) -> None:
    """One snapshot by SQLite's backup, a few pages at a time. ▲ The open read keeps it the same snapshot to the end:
    without it each step would see what was written since, and a busy server's backup would begin again for ever."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.ExitStack() as opened, _translated_errors(target.parent):
        reading = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, isolation_level=None)
        opened.callback(reading.close)
        writing = sqlite3.connect(target, isolation_level=None)
        opened.callback(writing.close)
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM meta").fetchone()
        reading.backup(writing, pages=_PAGES, progress=lambda _, left, pages: step("pages", pages - left, pages))
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, to be read from a folder that is read only
    with target.open("rb+") as f:
        os.fsync(f.fileno())


@contextlib.contextmanager
def _translated_errors(folder: Path) -> Iterator[None]:
    """What SQLite says while it copies: only the copy is written, so a disk that takes no more is the backup's."""
    try:
        yield
    except sqlite3.Error as e:
        if getattr(e, "sqlite_errorcode", 0) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
            raise Full(f"{folder}: the disk is full or failing") from e
        raise Damaged(type(e).__name__) from e


def _copy_parts(
    reading: Reading, source: Path, target: Path, step: Callable[[str, int, int], None]
) -> tuple[set[str], int]:
    """Copies the parts that the database names and that are not there yet; gives their paths, and how many are missing
    or not what they should be."""
    named: set[str] = set()
    missing = 0
    count = _count(reading, "blobs")
    for room, obj, part, size, sha256 in reading.rows("blobs", "SELECT room, obj, part, size_bytes, sha256 FROM blobs"):
        to = part_path(target, room, obj, part)
        named.add(str(to.relative_to(target)))
        step("parts", len(named), count)
        if to.exists() and to.stat().st_size == size:
            continue
        try:
            copied = copy_file(part_path(source, room, obj, part), to)
        except FileNotFoundError:
            missing += 1
            continue
        if copied != sha256.hex():
            missing += 1
            to.unlink()
    if target.exists():
        for folder in {target, *(p for p in target.rglob("*") if p.is_dir())}:
            sync_folder(folder)
    return named, missing


def _sweep(target: Path, database: str, named: set[str]) -> None:
    """Removes former databases and parts that the newest names no more: what was destroyed does not live on here."""
    _sweep_databases(target, database)
    blobs = target / "blobs"
    for path in list(blobs.rglob("*")):
        if path.is_file() and str(path.relative_to(blobs)) not in named:
            path.unlink()


def _sweep_databases(target: Path, database: str) -> None:
    for path in [*target.glob("server-*.sqlite3"), *target.glob(".*.new*")]:
        if path.name != database:
            path.unlink()


def _count(reading: Reading, table: str) -> int:
    row = reading.one(table, f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
    return row[0] if row else 0


def matches(folder: Path, manifest: Manifest) -> bool:
    """Whether the backup's database is the one that its manifest names."""
    path = folder / manifest.database
    return path.exists() and path.stat().st_size == manifest.size_bytes and sha256_of(path) == manifest.sha256
