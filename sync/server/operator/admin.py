# SPDX-License-Identifier: EUPL-1.2
"""What an operator does from the command line: found an agency, invite, revoke, reset, count, open rooms."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.crypto.tls import Pem, hosts_of, is_issued_by, make_ca, make_server_cert
from sync.ids import DevId
from sync.server.config import Config, ConfigError
from sync.server.host.files import create_private, is_created, replace_file
from sync.server.host.folder_hold import held
from sync.server.host.identity import (
    AGENCY_KEY,
    ESCROW_KEY,
    keys_folder,
    read_agency,
    renew_server,
    write_agency,
    write_server,
)
from sync.server.host.wording import format_time
from sync.server.operator import admin_log, aftermath
from sync.server.operator.admin_log import About
from sync.server.operator.opened_shares import make_request, needs_share, open_share, write_request
from sync.server.operator.staff_record import make_invite, staff
from sync.server.rules import clock_guard
from sync.server.rules.certificates import days_left
from sync.server.rules.handshake import now_ms
from sync.server.store.base import Appended, Counts, EntryRow, Moved
from sync.server.store.schema import VERSION
from sync.server.store.sql import SqlStore
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, decode_record, invite_id
from sync.trust.person.author import Entry
from sync.trust.person.recovery_sheet import RecoveryShare, ReturnCode
from sync.trust.person.user_entry import UserEntry
from sync.trust.person.user_log import UserLog

OPEN_AFTER_MS = 86_400_000
_YEAR_MS = 365 * 86_400_000
_SERVER_YEARS = 3
_TLS = ("ca.pem", "ca.key", "tls.key", "tls.pem")
_DATABASE = tuple(f"server.sqlite3{end}" for end in ("", "-wal", "-shm"))
_FOUNDED = ("agency.pub", "agency.where", "escrow.cert", "server.key", "server.cert", *_TLS, *_DATABASE)


def init(data: Path, *, keys: Path, demo_ca: list[str] | None = None, name: str = "Kansli") -> None:
    """Founds an agency: makes the server's keys and an empty database in the folder `data`, and the agency's own keys,
    agency.key and escrow.key, in the folder `keys`. Either folder is made if it is missing. ConfigError if `data` has
    an agency or a server's key already, if `keys` is in `data` or has such keys, or if another command works in `data`.
    After an error, every file that this made is removed.

    `demo_ca`: host names for a demonstration, None for none. For these, it also makes a certificate authority (ca.pem,
    ca.key) and a TLS certificate for these hosts and loopback (tls.pem, tls.key). `name`: only what this authority is
    called.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(data, "a server or another command is at work in it"):
        files = {data / name for name in _FOUNDED} | {keys / name for name in (AGENCY_KEY, ESCROW_KEY)}
        before = {path for path in files if path.exists()}
        try:
            with admin_log.recorded(data, "init", new=True):
                _found(data, keys, demo_ca, name)
        except BaseException:  # half an agency could be neither used nor founded again
            for path in files - before:
                path.unlink(missing_ok=True)
            raise


def _found(data: Path, keys: Path, demo_ca: list[str] | None, name: str) -> None:
    agency = write_agency(data, keys, os.urandom(32), os.urandom(32))
    write_server(data, os.urandom(32), agency, now_ms() + _SERVER_YEARS * _YEAR_MS)
    if demo_ca is not None:
        ca = make_ca(f"{name} – demo")
        hosts = list(dict.fromkeys([*demo_ca, "localhost", "127.0.0.1", "::1"]))
        (data / "ca.pem").write_bytes(ca.cert)
        create_private(data / "ca.key", ca.key)
        _write_leaf(data, _make_leaf(data, ca, hosts))


def renew_certificates(data: Path, *, key_file: Path | None = None) -> bool:
    """Renews server.cert (the agency's certificate of its server) in the folder `data` for three more years, with the
    same key. If the authority of a demonstration (ca.key) made the TLS certificate in the folder, that one is renewed
    too, for the same hosts and the same key; then True, otherwise False. An agency's own TLS files are not changed,
    also if ca.key is still in the folder.

    `key_file`: where the agency's key is; None for where `init` put it. ConfigError if the key is missing or belongs to
    a different agency, or if a file of the demo's authority is missing or cannot be read; nothing is changed then. A
    running server keeps the server.cert that it read at its start.
    """
    agency = read_agency(data, key_file)
    with admin_log.recorded(data, "renew-certificate"):
        return _renew(data, agency)


def _renew(data: Path, agency: Agency) -> bool:
    leaf = _renewed_leaf(data)  # first: if a file cannot be read, nothing is changed
    if leaf is not None:
        _write_leaf(data, leaf)
    renew_server(data, agency, now_ms() + _SERVER_YEARS * _YEAR_MS)
    return leaf is not None


def _renewed_leaf(data: Path) -> Pem | None:
    """A new TLS certificate in the place of the one in the folder `data`; None if the demo's authority did not make
    that one. ConfigError if a file is missing or cannot be read."""
    if not (data / "ca.key").exists() or not (data / "tls.pem").exists():
        return None
    if not (data / "ca.pem").exists():
        raise ConfigError(
            f"{data} has ca.key without ca.pem: put that back, or take ca.key away if another authority makes the "
            "TLS certificate; nothing was changed"
        )
    ca = Pem(cert=(data / "ca.pem").read_bytes(), key=(data / "ca.key").read_bytes())
    present = (data / "tls.pem").read_bytes()
    try:
        return _make_leaf(data, ca, hosts_of(present)) if is_issued_by(present, ca.cert) else None
    except (TypeError, ValueError) as e:
        why = "is not what init made there; nothing was changed"
        raise ConfigError(f"{data}: one of tls.pem, tls.key, ca.pem and ca.key {why}") from e


async def invite_back(
    data: Path,
    *,
    uid: bytes,
    hours: float = 72,
    key_file: Path | None = None,
    escrow_key: Path | None = None,
    request: Path | None = None,
) -> str:
    """Makes an activation code for the person `uid`, who has an account, and returns it as text. It is valid for
    `hours`. With it the person returns by recovery sheet or after a reset. The code has exactly the staff record that
    they have, and its invitation names their account. ConfigError for an unknown person, for one whose record was lost
    in a restore, for a key that cannot be read, and if the file `request` exists. Reject if the share of the recovery
    sheet is for another escrow key.

    `key_file` and `escrow_key`: where the agency's two keys are; None for where `init` put them. If the person has a
    recovery sheet, a second line has its share (the half that is not on the paper), opened with the escrow key. With
    `request` there is no second line: what is needed to open the share elsewhere is written to that file. Without a
    recovery sheet there is neither. `data`: the server's data folder. ▲ The server keeps neither line.
    """
    agency = read_agency(data, key_file)  # first: without it nothing is written
    async with opened(data) as store:
        asked, user = await make_request(store, uid), await store.user(uid)
    record = user.record if user is not None else b""  # unchanged: one that differs would not be this person's
    share: RecoveryShare | None = None
    written: Path | None = None
    if needs_share(asked, agency.pk):
        if request is None:
            name = decode_record(record)["name"]
            share = open_share(asked, escrow_key or keys_folder(data) / ESCROW_KEY, name=name)
        else:
            write_request(asked, request)
            written = request
    half = {} if share is None and request is None else {"share": "opened" if share is not None else "requested"}
    try:
        code = await _invite(data, agency, record=record, hours=hours, person=uid, about=half)
    except BaseException:
        if written is not None:  # otherwise the next try would find the file and refuse
            written.unlink(missing_ok=True)
        raise
    return code.format() if share is None else ReturnCode(code, share).format()


async def invite(
    data: Path, *, name: str, title: str, unit: str, hours: float = 72, key_file: Path | None = None
) -> str:
    """Makes a one-time activation code for a new person, valid for `hours`, and returns it as text. `name`, `title` and
    `unit` become the person's staff record. `data`: the server's data folder; the server may be running. `key_file`:
    where the agency's key is; None for where `init` put it. ConfigError for a name, title or unit that cannot be
    used."""
    record = staff(name=name, title=title, unit=unit).encode()
    return (await _invite(data, read_agency(data, key_file), record=record, hours=hours)).format()


async def _invite(
    data: Path,
    agency: Agency,
    *,
    record: bytes,
    hours: float,
    person: bytes | None = None,
    about: Mapping[str, About] | None = None,
) -> SignInCode:
    code = SignInCode.fresh(agency.pk)
    async with opened(data) as store:
        whom = {} if person is None else {"person": person}
        admin_log.record(store, "invite", invitation=invite_id(code.key.public), **whom, **(about or {}))
        await store.add_invite(make_invite(agency, code, record, hours=hours, person=person))
    return code


async def revoke(data: Path, *, uid: bytes, dev: bytes, key_file: Path | None = None) -> int | None:
    """Revokes the device `dev` of the person `uid` as the agency. `data`: the server's data folder; a running server
    notices within a second. `key_file`: where the agency's key is; None for where `init` put it. Returns None.

    If the device is revoked already, or its person's account has ended, nothing is changed, and the time (ms) in the
    entry that did so is returned. ConfigError for an unknown person or device, and if the agency's key cannot be read.
    """

    def since(log: UserLog) -> int | None:
        if DevId(dev) not in log.devices:
            raise ConfigError("this person has no device with this id")
        return log.ended if log.devices[DevId(dev)].revoked is None else log.devices[DevId(dev)].revoked

    def build(log: UserLog, agency: Agency, now: int) -> Entry:
        return user_drafts.revoke_by_agency(log, agency, DevId(dev), now)

    return await _as_agency(data, uid, key_file, build, since, command="revoke", about={"person": uid, "device": dev})


async def reset(data: Path, *, uid: bytes, key_file: Path | None = None) -> int | None:
    """Ends the account of the person `uid` as the agency. `data`: the server's data folder. `key_file`: where the
    agency's key is; None for where `init` put it. Returns None. With a new activation code the person gets a new
    account, which is new to every room.

    If the account has ended already, nothing is changed, and the time (ms) of its end is returned. ConfigError for an
    unknown person.
    """
    about = {"person": uid}
    return await _as_agency(data, uid, key_file, user_drafts.reset, lambda log: log.ended, command="reset", about=about)


async def _as_agency(
    data: Path,
    uid: bytes,
    key_file: Path | None,
    build: Callable[[UserLog, Agency, int], Entry],
    since: Callable[[UserLog], int | None],
    *,
    command: str,
    about: Mapping[str, About],
) -> int | None:
    """Appends to the log of the person `uid` the entry that `build` returns, signed by the agency; returns None.
    `build` gets the log, the agency and the time (ms); it is called again if the log grew meanwhile. `since` gets the
    log and returns the number of an entry in it that already did the same, or None. If there is one, nothing is
    appended, and the time (ms) that this entry states is returned. `command` and `about` (whom or what it concerns) go
    to the admin log. `data` and `key_file`: the server's data folder, and where the agency's key is. ConfigError for an
    unknown person."""
    agency = read_agency(data, key_file)
    async with opened(data) as store:
        while True:
            rows = await store.user_entries(uid, -1)
            if not rows:
                raise ConfigError("nobody has this id")
            log = UserLog.replay([(r.body, r.sig) for r in rows], agency.pk)
            if (done := since(log)) is not None:
                return UserEntry.decode(rows[done].body).time
            body, sig = build(log, agency, now_ms())
            seq = log.seq
            log.apply(body, sig)
            with contextlib.suppress(Moved):  # the person's own device was first: try again
                row = EntryRow(seq=log.seq, body=body, sig=sig)
                made = Appended(head=log.head, root_pk=log.root_pk)
                admin_log.record(store, command, **about)
                await store.append_user(uid, seq, [row], made, external=True)
                return None


async def status(data: Path) -> Counts:
    """Counts what is stored in the data folder `data`, for the command `status`: people, open invitations, rooms,
    items, parts of files, their bytes, and the rooms and devices that are still affected by a restore. The server may
    be running. ConfigError if there is no database."""
    async with opened(data) as store:
        return await store.counts(now_ms())


async def after_restore(data: Path) -> aftermath.Aftermath | None:
    """Returns what the newest restore from a backup left an administrator to do in the data folder `data`, as of now.
    None if the folder was never restored. The server may be running. ConfigError if there is no database."""
    async with opened(data) as store:
        return await aftermath.look(store, now_ms())


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of a server's database and certificates, for the command `status`. `schema`: the version of the
    database. `tls_days` and `server_cert_days`: how many days the TLS certificate and server.cert (the agency's
    certificate of its server) are still valid, negative after their end. None: there is no such file; `tls_days` also
    if it cannot be read."""

    schema: int
    tls_days: float | None
    server_cert_days: float | None


def health(config: Config) -> Health:
    """The version of the database, and how many days the certificates of the configuration `config` are still valid.
    Only the certificates are read: the version is the one that this program uses, and the caller has opened the
    database before, which refuses any other. ConfigError or Reject if server.cert is damaged; a TLS certificate that is
    damaged or missing gives None."""
    days = days_left(config)
    return Health(schema=VERSION, tls_days=days.get("tls"), server_cert_days=days.get("server"))


class NotClosed(ConfigError):
    """The room is open: no restore closed it, or it has opened since."""


async def open_room(data: Path, room: bytes) -> None:
    """Opens the room with the id `room`, which a restore closed, for writing, and gives up the items that are still
    missing. NotClosed for a room that is not closed (also for an unknown id), ConfigError within a day of the restore.
    `data`: the server's data folder; a running server notices within a second."""
    async with opened(data) as store:
        restored = await store.restored()
        if restored is None or room not in await store.closed_rooms():
            raise NotClosed("this room is not closed")
        if now_ms() < restored.t + OPEN_AFTER_MS:
            when = format_time(restored.t + OPEN_AFTER_MS)
            why = "until then its members may bring more"
            raise ConfigError(f"a room can be opened 24 hours after the restore, from {when}: {why}")
        admin_log.record(store, "open-room", room=room)
        await store.open_room(room)


def confirm_clock(data: Path) -> None:
    """Confirms, for an operator, that this machine's clock is right. If somebody sets the clock by more than ten
    minutes, a server takes no new items: after at most a day's change for an hour, after a larger one until this is
    called, or the clock is back. A running server then takes items again. `data`: the server's data folder. ConfigError
    if there is no server in it."""
    if not (data / "server.key").exists():
        raise ConfigError("nothing here yet: run init first")
    with admin_log.recorded(data, "confirm-clock"):
        clock_guard.confirm(data)


@contextlib.asynccontextmanager
async def opened(data: Path) -> AsyncIterator[SqlStore]:
    """Opens the store in the server's data folder `data` until the block ends. ConfigError if there is none yet,
    StoreError if another version of the server wrote it."""
    if not Config(data=data).database.exists():
        raise ConfigError(f"{data}: nothing here yet: run init first, or restore a backup")
    store = SqlStore(Config(data=data).database)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _make_leaf(data: Path, ca: Pem, hosts: list[str]) -> Pem:
    """Makes a TLS certificate for `hosts` by the authority `ca`, for the TLS key in the folder `data`, or for a new key
    if there is none."""
    key = data / "tls.key"
    return make_server_cert(ca, hosts, key.read_bytes() if key.exists() else None)


def _write_leaf(data: Path, leaf: Pem) -> None:
    """Stores a TLS certificate in the folder `data`, and its key if the folder has none. A key that is there stays, so
    one file is replaced in one step: a process that is killed leaves a certificate and a key that fit."""
    if not is_created(data / "tls.key"):
        create_private(data / "tls.key", leaf.key)
    replace_file(data / "tls.pem", leaf.cert)
