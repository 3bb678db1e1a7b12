# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server restore`: makes a new data folder from a backup, verifies it, and marks it as restored.

The folder is put together beside its place and renamed when it is whole. Every room is closed to writing until clients
have uploaded again what was lost since the backup (sync/PROTOCOL.md §10).
"""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sync.server.config import Config, ConfigError
from sync.server.host.files import sync_folder, sync_folders
from sync.server.host.folder_hold import held
from sync.server.host.identity import OtherKey, read_identity
from sync.server.operator import admin_log
from sync.server.operator.upkeep.backup import PUBLIC, SECRET, matches
from sync.server.operator.upkeep.manifest import KEYS, Manifest, copy_file, read_manifest
from sync.server.operator.upkeep.problems import Problem, Tally, named_part
from sync.server.operator.upkeep.verify import verify
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Full
from sync.server.store.restored import RestoreRow
from sync.server.store.sql import SqlStore
from sync.trust.room.restore_notice import Restored

_AT_WORK = "another restore is at work in it"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
SEEN_MS = 30 * 86_400_000
"""A device that was seen within this time before the backup may hold what was lost, and is awaited."""


def restore(
    source: Path,
    data: Path,
    on_problem: Callable[[Problem], None],
    step: Callable[[Tally], None],
    *,
    keys: Path | None = None,
    damaged: bool = False,
) -> Tally:
    """Makes the data folder `data`, which must be missing or empty, from the backup in `source`. `keys`: the folder of
    server.key; None if it is in the backup. What an earlier restore to `data` has left beside that folder when it was
    killed is removed. The new folder is verified: `on_problem` is called with each problem, `step` often with the tally
    so far. Returns the tally. If it counts problems, nothing was put in place unless `damaged`; no error is raised for
    that, so the caller must look at the tally. Every room of the new folder is closed to writing until clients have
    uploaded again what was lost since the backup.

    If the restore is not possible: ConfigError (no whole backup, `data` not empty, or no fitting server.key), Reject
    for a certificate that does not verify, TooNew or TooOld for the database of another version, Full if the disk of
    the new folder is full, OSError for other faults of a disk.
    """
    manifest = _whole(source)
    data = _free(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    _sweep(data)
    beside = data.with_name(f"{data.name}.{os.urandom(4).hex()}.new")
    try:
        beside.mkdir(mode=0o700)
        with held(beside, _AT_WORK):
            _put_together(source, manifest, beside, keys or source / KEYS)
            rotten: list[str] = []

            def note_problem(problem: Problem) -> None:
                rotten.extend([problem.where] if (problem.what, problem.code) == ("blob", "blob-hash") else [])
                on_problem(problem)

            tally = verify(beside, note_problem, step)
            if tally.problems and not damaged:
                return tally
            _put_aside(rotten, Config(data=beside).blobs)
            asyncio.run(_mark(beside, manifest, damaged=bool(tally.problems)))
            sync_folders(beside)
            _put_in_place(beside, data)
            return tally
    except OSError as e:
        if e.errno not in _NO_ROOM:
            raise
        raise Full(f"{data.parent}: the disk is full; nothing was put in place, and the backup is as it was") from e
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sweep(data: Path) -> None:
    """Removes what killed restores to `data` have left beside it, which may hold the secret keys. Leaves what another
    restore is working in."""
    left = re.compile(re.escape(data.name) + r"\.[0-9a-f]{8}\.new")
    for path in list(data.parent.iterdir()):
        if left.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            with suppress(ConfigError), held(path, _AT_WORK):
                shutil.rmtree(path)


def _whole(source: Path) -> Manifest:
    """Reads the manifest of the backup in `source`, before a restore. ConfigError if the folder is no backup, or if its
    database is missing or has another size or hash than the manifest says."""
    manifest = read_manifest(source)
    if not matches(source, manifest):
        why = "is not what the manifest says" if (source / manifest.database).exists() else "is missing"
        raise ConfigError(f"{source / manifest.database} {why}: the backup was not copied whole; copy it again")
    return manifest


def _put_in_place(beside: Path, data: Path) -> None:
    if data.exists():
        data.rmdir()
    beside.replace(data)
    sync_folder(data.parent)


def _free(data: Path) -> Path:
    """Checks `data`, the path at which a restore puts the new data folder, and returns it with its links resolved. The
    folder may be missing. ConfigError if it is a disk of its own (a mount point), since the finished folder is renamed
    to this path, or if it is a folder that is not empty."""
    data = data.resolve()  # a link to another disk stays one
    if os.path.ismount(data):  # Path.is_mount is not on Windows
        raise ConfigError(f"{data} is a disk of its own: restore to a folder on it, and name that as data")
    if data.exists() and any(data.iterdir()):
        raise ConfigError(f"{data} is not empty")
    return data


def _put_aside(rotten: Sequence[str], blobs: Path) -> None:
    """Renames damaged parts of files in the folder `blobs`, of a data folder that is being restored, to names that end
    in ".bad"; they then count as missing. `rotten` has their names as `verify` reports them. A client that still has
    such a part uploads it again."""
    for where in rotten:
        part = named_part(blobs, where)
        part.rename(part.with_suffix(".bad"))


def _put_together(source: Path, manifest: Manifest, to: Path, keys: Path) -> None:
    copy_file(source / manifest.database, Config(data=to).database)
    for file in PUBLIC:
        if (source / file).exists():
            copy_file(source / file, to / file)
    for file in SECRET:
        if (keys / file).exists():
            copy_file(keys / file, to / file)
    if not (to / "server.key").exists():
        raise ConfigError(f"{keys} has no server.key: say with --keys in which folder it lies")
    try:
        read_identity(to, now_ms())  # checked now, since the rest takes long
    except OtherKey as e:
        why = "is it another agency's, or another server's?"
        raise ConfigError(f"{keys / 'server.key'} is not the key of the server in {source}: {why}") from e
    blobs = source / "blobs"
    for path in blobs.rglob("*"):
        if path.is_file():
            copy_file(path, to / "blobs" / path.relative_to(blobs))


async def _mark(data: Path, manifest: Manifest, *, damaged: bool) -> None:
    identity = read_identity(data, now_ms())
    store = SqlStore(Config(data=data).database)
    await store.open()
    try:
        backup_t = manifest.time
        before = await store.restored()
        if before is not None and await store.closed_rooms():  # what the earlier restore lost is not all recovered
            backup_t = min(backup_t, before.backup_t)
        statement = Restored.sign(identity.key, identity.fingerprint, max(now_ms(), manifest.time), backup_t)
        row = RestoreRow(t=statement.t, backup_t=statement.backup_t, body=statement.body, sig=statement.sig)
        admin_log.record(store, "restore", entries_lost_after=manifest.time, damaged=int(damaged))
        await store.mark_restored(row, backup_t - SEEN_MS)
    finally:
        await store.close()
