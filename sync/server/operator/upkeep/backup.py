# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server backup`: a consistent copy of a data folder, also of one that a server writes to.

The database is copied in one snapshot, and parts of files after it, so that the backup has every part that the database
names. Parts never change, so the next backup into the same folder copies only new ones. The manifest is written last:
an interrupted backup leaves the previous one as it was, except that a backup without keys may have removed those of an
earlier one. Before the next backup copies anything, it removes what the interrupted one left, since that may have
filled the disk. One backup at a time works in a folder, for one agency only. A folder that has other files is refused:
a backup removes everything that it does not need.
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from sync.server.config import Config, ConfigError
from sync.server.host.files import part_of, replace_file, sync_folders
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
from sync.server.operator.upkeep.problems import named_part
from sync.server.operator.upkeep.reading import Damaged, Reading
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Full
from sync.trust.person.agency import agency_fingerprint

PUBLIC = ("agency.pub", "server.cert", "escrow.cert", "agency.where", "tls.pem", "ca.pem")
"""The files that every backup has; none is a secret. Without the first two a backup could not be verified."""
SECRET = ("server.key", "tls.key", "ca.key")
_BEGUN = "begun"
"""A file with the agency's fingerprint, which is in the folder while its first backup is not complete."""
_DATABASES = re.compile(r"(server-[0-9a-f]{16}\.sqlite3|\.[0-9a-f]{16}\.new)(-journal|-wal|-shm)?")
"""The names of the databases that backups make."""
_NOT_OTHERS = {"lost+found", part_of(Path(_BEGUN)).name}
"""What a folder may have that counts as empty: what an empty disk of its own has, and what a power cut left while
`begun` was written."""
_PAGES = 2048
"""Pages that are copied at a time: 8 MiB."""


def backup(data: Path, target: Path, step: Callable[[str, int, int], None], *, with_keys: bool = False) -> Manifest:
    """Copies the data folder `data` to the backup in `target`: a new one, or only what is new since the last. Returns
    its manifest. `step` is called with the progress: ("pages" of the database or "parts" of files, how many are done,
    how many there are). `with_keys`: also copies the secret keys.

    Removes from `target` what this backup does not need: former databases, and parts of files that the database names
    no more. Without `with_keys`, also removes the secret keys that an earlier backup copied, except those that `data`
    has lost.

    Parts of files that are missing or damaged at the source are counted in the manifest. ConfigError if `data` has no
    server yet, or if `target` is `data` itself, has another agency's backup, other files or a manifest that cannot be
    read, or has another backup running in it. Damaged if the database cannot be read; Full or OSError.
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
    """Prepares `target` for a backup: notes in an empty folder which agency's backup begins there, and removes
    databases that interrupted backups left beside the one of the whole backup. Parts of files stay: the next backup
    need not copy them again. ConfigError if the whole backup's manifest cannot be read, or if `target` has no backup of
    the agency with the fingerprint `fingerprint` and is not empty. Otherwise a backup to a wrong folder, such as
    another server's data folder, would remove its files."""
    former = read_manifest(target) if (target / NAME).exists() else None
    begun = former.agency if former is not None else _begun(target)
    if begun is not None and begun != fingerprint:
        raise ConfigError(f"{target} has the backup of another agency: a backup needs a folder of its own")
    if begun is None:
        if {path.name for path in target.iterdir()} - _NOT_OTHERS:
            raise ConfigError(f"{target} is not empty and has no backup: name an empty folder, or a new one")
        replace_file(target / _BEGUN, fingerprint.encode())
    _sweep_databases(target, former.database if former is not None else "")


def _begun(target: Path) -> str | None:
    """The fingerprint of the agency whose first backup to `target` was interrupted; None if none was."""
    path = target / _BEGUN
    return path.read_text(errors="replace") if path.exists() else None


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
    _copy_files(data, target, with_keys=with_keys)
    if not with_keys:
        _sweep_keys(data, target)  # before the manifest says that there are none
    sync_folders(target)
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
        keys=with_keys or any((target / KEYS / file).exists() for file in _lost_keys(data)),
    )
    made.write(target)
    _sweep(target, name, named)
    return made


def _copy_files(data: Path, target: Path, *, with_keys: bool) -> None:
    """Copies the small files beside the database from the data folder `data` to the backup in `target`: certificates,
    public keys and agency.where (the path of the agency's keys), and only `with_keys` the server's secret keys, to its
    folder `keys`. A file that is missing in `data` is skipped; what an earlier backup left of it stays. OSError if a
    file cannot be copied."""
    for file in PUBLIC:
        if (data / file).exists():
            copy_file(data / file, target / file)
    for file in SECRET if with_keys else ():
        if (data / file).exists():
            copy_file(data / file, target / KEYS / file)


def _copy_database(source: Path, target: Path, step: Callable[[str, int, int], None]) -> None:
    """Copies one snapshot of the database `source` to the new file `target` by SQLite's backup, a few pages at a time;
    `step` is called with ("pages", done, all). ▲ The open read transaction keeps the snapshot to the end. Otherwise
    each step would see what was written since, and a busy server's backup would start over for ever. FileExistsError if
    `target` exists, Full if its disk is full or failing, Damaged for any other error of SQLite."""
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
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, which can be read in a folder that is read-only
    with target.open("rb+") as f:
        os.fsync(f.fileno())


@contextlib.contextmanager
def _translated_errors(folder: Path) -> Iterator[None]:
    """Raises SQLite's errors in the block, while a database is copied, as Full or Damaged. Only the copy, in `folder`,
    is written, so it is the backup's disk that is full."""
    try:
        yield
    except sqlite3.Error as e:
        if getattr(e, "sqlite_errorcode", 0) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):
            raise Full(f"{folder}: the disk is full or failing") from e
        raise Damaged(type(e).__name__) from e


def _copy_parts(
    reading: Reading, source: Path, target: Path, step: Callable[[str, int, int], None]
) -> tuple[set[str], int]:
    """Copies the parts of files that the database (`reading`) names and the backup lacks, from the folder `source` to
    `target`. A part in the backup that has the right size is not read again. One that is missing at the source, or has
    a wrong hash, is left out and counted. Returns the paths of all parts that the database names, and that count.
    `step` is called with ("parts", done, all). Damaged if the database cannot be read, OSError if a part cannot be
    copied."""
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
    return named, missing


def _sweep(target: Path, database: str, named: set[str]) -> None:
    """Removes former databases from the backup in `target`, and parts of files that are not among `named`, the paths of
    those in the newest database (`database` is its file's name). Otherwise destroyed content would stay in the backup.
    OSError if a file cannot be removed."""
    (target / _BEGUN).unlink(missing_ok=True)
    _sweep_databases(target, database)
    blobs = target / "blobs"
    for path in list(blobs.rglob("*")):
        if path.is_file() and str(path.relative_to(blobs)) not in named:
            path.unlink()


def _sweep_databases(target: Path, database: str) -> None:
    for path in list(target.iterdir()):
        if path.name != database and _DATABASES.fullmatch(path.name):
            path.unlink()


def _sweep_keys(data: Path, target: Path) -> None:
    """Removes the secret keys that an earlier backup copied to `target`. A key that the data folder `data` has lost
    stays: this may be its last copy."""
    for file in set(SECRET) - set(_lost_keys(data)):
        for path in (target / KEYS / file, target / KEYS / f"{file}.new"):
            path.unlink(missing_ok=True)


def _lost_keys(data: Path) -> list[str]:
    return [file for file in SECRET if not (data / file).exists()]


def drop_parts(target: Path, wheres: Iterable[str]) -> None:
    """Removes parts of files from the backup in `target`, so that the next backup copies them again. `wheres`: their
    names as `verify` reports them."""
    for where in wheres:
        named_part(target / "blobs", where).unlink(missing_ok=True)


def _count(reading: Reading, table: str) -> int:
    row = reading.one(table, f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
    return row[0] if row else 0


def matches(folder: Path, manifest: Manifest) -> bool:
    """Whether the database of the backup in `folder` is the one that its manifest `manifest` names, by size and hash.
    False also if it is missing."""
    path = folder / manifest.database
    return path.exists() and path.stat().st_size == manifest.size_bytes and sha256_of(path) == manifest.sha256
