# SPDX-License-Identifier: EUPL-1.2
"""The manifest of a backup, `manifest.json`. It is written last and renamed into place, so that the folder always has a
whole one: the new one or the previous one."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sync.server.config import ConfigError
from sync.server.host.files import replace_file

FORMAT = 1
NAME = "manifest.json"
KEYS = "keys"
"""The folder of secret keys in a backup that was made with them."""
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Describes a backup. `format`: the backup's own version. `time`: the server's clock in ms before the first byte
    was read. `agency`: the fingerprint of the agency's key, in hex. `database`: the name of the database file beside
    the manifest; `size_bytes`: its size; `sha256`: its hash in hex; `schema`: its version; `people`, `rooms`, `items`
    and `blobs` (parts of files) count its content. `blobs_missing`: how many parts could not be copied. `keys`: whether
    the secret keys were copied."""

    format: int
    time: int
    agency: str
    schema: int
    database: str
    size_bytes: int
    sha256: str
    people: int
    rooms: int
    items: int
    blobs: int
    blobs_missing: int
    keys: bool

    def write(self, folder: Path) -> None:
        """Writes this manifest into `folder`, a backup's folder, in place of the former one, if there is one. After a
        crash the folder has the old manifest or the new one, whole. OSError if the disk fails."""
        replace_file(folder / NAME, json.dumps(asdict(self), indent=1).encode(), 0o666)


def read_manifest(folder: Path) -> Manifest:
    """Reads the manifest of the backup in `folder`; its database is not checked. ConfigError if there is no manifest
    (the folder is no backup), if the manifest cannot be parsed, or if the backup has an unknown format."""
    try:
        value = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if value.get("format") != FORMAT:
            raise ConfigError(f"{folder}: a backup of format {value.get('format')}: restore it with a later version")
        found = Manifest(**value)
        if Path(found.database).name != found.database:
            raise ValueError("database")
    except FileNotFoundError as e:
        raise ConfigError(f"{folder} is no backup: it has no {NAME}") from e
    except (AttributeError, TypeError, ValueError) as e:
        raise ConfigError(f"{folder}/{NAME} cannot be read") from e
    return found


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file `path` in hex, read in pieces. OSError if the file cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while piece := f.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def copy_file(source: Path, target: Path, *, mode: int = 0o600) -> str:
    """Copies the file `source` to a new name with the rights `mode`, flushes the copy to the disk, and renames it to
    `target`, which it replaces. Makes the folder of `target` if it is missing; does not flush that folder, so the
    caller must. Returns the file's SHA-256 in hex. FileNotFoundError if there is no `source`; OSError for other faults,
    such as a full disk."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside, digest = target.with_name(f"{target.name}.new"), hashlib.sha256()
    with source.open("rb") as f, os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as to:
        while piece := f.read(_PIECE):
            digest.update(piece)
            to.write(piece)
        to.flush()
        os.fsync(to.fileno())
    beside.replace(target)
    return digest.hexdigest()
