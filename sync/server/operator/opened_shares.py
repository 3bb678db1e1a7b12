# SPDX-License-Identifier: EUPL-1.2
"""Opens the share of a returning person's recovery sheet with the agency's escrow key, here or on a machine that has no
network. ▲ An opened share is handed to the person and stored nowhere.
"""

from pathlib import Path

from sync.server.config import ConfigError
from sync.server.host.files import create_private
from sync.server.host.identity import read_escrow
from sync.server.operator.aftermath import NO_RECORD
from sync.server.store.base import Store
from sync.trust.person.author import Entry
from sync.trust.person.escrow_key import MAX_REQUEST_BYTES, ShareRequest
from sync.trust.person.recovery_sheet import RecoveryShare


async def make_request(store: Store, uid: bytes) -> bytes:
    """The bytes with which the holder of the escrow key can open, on any machine, the share of the person `uid`'s
    recovery sheet (the half of its secret that is not on the paper): the person's log and staff record. Made also for a
    person without a recovery sheet; then nothing can be opened with it. ConfigError for an unknown person, and for one
    whose record was lost in a restore."""
    user, rows = await store.user(uid), await store.user_entries(uid, -1)
    if user is None or not rows:
        raise ConfigError("nobody has this id")
    if not user.record:
        raise ConfigError(NO_RECORD)
    entries: list[Entry] = [(row.body, row.sig) for row in rows]
    return ShareRequest.encode(entries, user.salt, user.record)


def needs_share(request: bytes, agency_pk: bytes) -> bool:
    """Whether the person whose log is in `request`, as `make_request` makes it, has a recovery sheet in force: then no
    invitation brings them back without that recovery sheet's share (`open_share`). False once the account has ended.
    `agency_pk`: the agency's public key. Reject if the request or a signature in it is not valid."""
    log = ShareRequest.check(request, agency_pk).log
    return log.ended is None and log.recovery_sheet_in_force


def write_request(request: bytes, to: Path) -> None:
    """Stores `request`, a request to open the share of a recovery sheet (as `make_request` makes it), in the new file
    `to`, which only its owner may read. ConfigError if there is one of that name."""
    try:
        create_private(to, request)
    except FileExistsError as e:
        raise ConfigError(f"{to} exists already") from e


def read_request(path: Path) -> bytes:
    """Reads a request to open the share of a recovery sheet from the file `path`. ConfigError if the file is too large
    for one, OSError if it is missing or cannot be read. Nothing else is checked: opening the share does that."""
    if path.stat().st_size > MAX_REQUEST_BYTES:
        raise ConfigError(f"{path} is no request: it is too large")
    return path.read_bytes()


def open_share(request: bytes, key_file: Path, *, name: str) -> RecoveryShare:
    """Opens the share that `request` asks for (the half of a recovery sheet's secret that is not on the paper), with
    the escrow key in the file `key_file`. `name`: the name in the staff record of the person whose share it must be,
    letter by letter the same.

    ▲ It is compared with the name that the agency's own key bound to the log. Otherwise a false server could request
    another person's share in the name of the person at the desk. ConfigError for another name, and if the key is
    missing or is not an escrow key; Reject if the request is not valid or cannot be opened (no recovery sheet in force,
    another escrow key).
    """
    escrow = read_escrow(key_file)
    asked = ShareRequest.check(request, escrow.agency_pk)
    if asked.record["name"] != name:
        raise ConfigError(f"this is a request for the share of {asked.record['name']}, not of {name}")
    return asked.open(escrow.key)
