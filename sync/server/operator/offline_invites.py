# SPDX-License-Identifier: EUPL-1.2
"""Makes invitations on a computer with agency.key, and imports them on the server. Neither the key nor a code ever
comes to the server.

A file of them is lines of JSON (binary values in base64): the first says which version and agency, and how many follow;
each other has an invitation's certificate, its signature, the staff record and the record's salt. ▲ No code is in it:
a reader of the file learns names but cannot enrol. The agency's signature proves each line.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from sync.errors import Reject
from sync.server.config import ConfigError
from sync.server.host.files import create_private
from sync.server.host.identity import read_agency_pk
from sync.server.host.key_file import STDIN, read_seed
from sync.server.host.wording import format_time
from sync.server.operator import admin_log
from sync.server.operator.admin import opened
from sync.server.operator.staff_record import make_invite
from sync.server.rules.handshake import now_ms
from sync.server.store.base import InviteRow, Taken
from sync.trust.person.agency import (
    Agency,
    InviteCert,
    SignInCode,
    agency_fingerprint,
    decode_record,
    record_hash,
)

T = TypeVar("T")
VERSION = 1
MOST = 100_000
"""Invitations in one file."""
_LINE_BYTES = 16 * 1024
"""The longest line. The longest staff record takes a third of it."""
_SALT_BYTES = 16
_AHEAD_MS = 366 * 86_400_000
"""The longest time for which an imported code may be valid: no code is made for longer (command_line.py). This also
refuses times that no database can store."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of a file of invitations, which are made on one computer and imported on the server. `version`:
    the version of such files. `agency`: the fingerprint of the agency's key. `count`: how many lines follow, one for
    each invitation, so that a file that is cut off is noticed."""

    version: int = msgspec.field(name="kansli-invitations")
    agency: bytes
    count: int


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One invitation in a file of them. `cert`: the agency's certificate of it, encoded: its one-time public key, the
    hash of the staff record, and when it ends. `sig`: the agency's signature over `cert`. `record`: the encoded staff
    record; `salt`: what its hash was made with."""

    cert: bytes
    sig: bytes
    salt: bytes
    record: bytes


def invite_offline(
    to: Path, records: Sequence[bytes], *, hours: float, key_file: Path | None
) -> tuple[Agency, list[SignInCode]]:
    """Makes an activation code, valid for `hours`, for each of `records` (staff records as `encode_record` makes them),
    and writes their invitations to the new file `to`. Returns the agency, and the codes in the records' order.
    `key_file`: where the agency's key is. No data folder is needed. ▲ The codes are in no file.

    ConfigError without an agency key, for a file that exists, and for more than MOST records.
    """
    agency = read_key(key_file)
    codes = [SignInCode.fresh(agency.pk) for _ in records]
    rows = [make_invite(agency, code, record, hours=hours) for code, record in zip(codes, records, strict=True)]
    write_invitations(to, agency.pk, rows)
    return agency, codes


def read_key(key_file: Path | None) -> Agency:
    """The agency, made from its private key alone. `key_file`: where the key is, `-` for standard input. ConfigError if
    it is None, if the file is missing, cannot be read or may be read by everybody on this machine, or if it is not the
    file of such a key."""
    if key_file is None:
        raise ConfigError("--offline needs --agency-key: there is no data folder that says where it is")
    return Agency(read_seed(key_file))


def write_invitations(to: Path, agency_pk: bytes, rows: Sequence[InviteRow]) -> None:
    """Stores the invitations `rows`, by the agency with the public key `agency_pk`, in the new file `to` that only its
    owner may read; whole and durable, or not at all. ConfigError for a file that exists and for more than MOST."""
    if len(rows) > MOST:
        raise ConfigError(f"{len(rows)} invitations are too many for one file: it takes {MOST}")
    try:
        create_private(to, encode_invitations(agency_pk, rows))
    except FileExistsError as e:
        raise ConfigError(f"{to} exists already: name a new file for the invitations") from e


def encode_invitations(agency_pk: bytes, rows: Sequence[InviteRow]) -> bytes:
    """The content of a file of the invitations `rows`, by the agency with the public key `agency_pk`: lines of JSON."""
    head = Head(version=VERSION, agency=agency_fingerprint(agency_pk), count=len(rows))
    lines = (Line(cert=row.cert_body, sig=row.cert_sig, salt=row.salt, record=row.record) for row in rows)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in (head, *lines))


async def import_invites(data: Path, source: Path) -> list[InviteRow]:
    """Takes the invitations in the file `source` (`-`: standard input) into the database in the data folder `data`: all
    of them, or none. Returns them. The server may be running.

    ConfigError, with the line, for one that this agency did not sign, that has ended, or that is here already, and for
    a file that is cut off or is none.
    """
    agency_pk = read_agency_pk(data)
    name = "standard input" if source == STDIN else str(source)
    with nullcontext(sys.stdin.buffer) if source == STDIN else source.open("rb") as f:
        rows = read_invitations(f, name, agency_pk, now_ms())
    async with opened(data) as store:
        for number, row in enumerate(rows, 2):
            if await store.invite(row.invite_pk) is not None:
                raise ConfigError(f"{name}, line {number}: this invitation is here already; nothing was imported")
        admin_log.record(store, "import-invites", invitations=len(rows))
        try:
            await store.add_invites(rows)
        except Taken as e:
            raise ConfigError(f"{name}: another import took these in meanwhile; nothing was imported") from e
    return rows


def read_invitations(f: BinaryIO, name: str, agency_pk: bytes, now: int) -> list[InviteRow]:
    """The invitations in the open file `f`, in its order, each proven by the agency's signature (`agency_pk` is its
    public key). `name`: what errors call the file. `now`: the present time (ms). ConfigError for a file of another
    agency or kind, for one that is cut off, for a line that is not valid or comes twice, and for an invitation that has
    ended by `now` or ends more than 366 days later. It names the line, if one is wrong."""
    lines = _lines(f, name)
    head = _head(next(lines, b""), name, agency_pk)
    rows: list[InviteRow] = []
    seen: dict[bytes, int] = {}
    for number, line in enumerate(lines, 2):
        where = f"{name}, line {number}"
        if len(rows) == head.count:
            raise ConfigError(f"{where}: the first line says that {head.count} follow; nothing was imported")
        row = _read_row(line, where, agency_pk, now)
        if row.invite_pk in seen:
            raise ConfigError(f"{where}: the same invitation as in line {seen[row.invite_pk]}; nothing was imported")
        seen[row.invite_pk] = number
        rows.append(row)
    if len(rows) < head.count:
        raise ConfigError(f"{name} is cut off: {len(rows)} of {head.count} invitations are in it; copy it again")
    return rows


def _lines(f: BinaryIO, name: str) -> Iterator[bytes]:
    for number in range(1, MOST + 3):
        line = f.readline(_LINE_BYTES + 1)
        if not line:
            return
        if len(line) > _LINE_BYTES:
            raise ConfigError(f"{name}, line {number}: longer than {_LINE_BYTES} bytes; nothing was imported")
        yield line


def _head(line: bytes, name: str, agency_pk: bytes) -> Head:
    if not line:
        raise ConfigError(f"{name} is empty")
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise ConfigError(f"{name}, line 1: this is no file of `invite --offline`") from e
    if head.version != VERSION:
        raise ConfigError(f"{name}: version {head.version} of such files; this program reads version {VERSION}")
    if head.agency != agency_fingerprint(agency_pk):
        raise ConfigError(f"{name}: invitations of another agency ({head.agency.hex()[:16]}); nothing was imported")
    if not 1 <= head.count <= MOST:
        raise ConfigError(f"{name}, line 1: {head.count} invitations; a file has from 1 to {MOST}")
    return head


def _read_row(line: bytes, where: str, agency_pk: bytes, now: int) -> InviteRow:
    try:
        found = msgspec.json.decode(line, type=Line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise ConfigError(f"{where}: cannot be read; nothing was imported") from e
    cert = _proven(lambda: InviteCert.check(agency_pk, found.cert, found.sig), where, "the agency did not sign this")
    if len(found.salt) != _SALT_BYTES or record_hash(found.salt, found.record) != cert.record_hash:
        raise ConfigError(f"{where}: the staff record is not the one that was signed; nothing was imported")
    _proven(lambda: decode_record(found.record), where, "the staff record cannot be read")
    if cert.not_after_ms <= now:
        ended = format_time(cert.not_after_ms)
        raise ConfigError(f"{where}: the code ended {ended}; nothing was imported. Make it again, or set the clock")
    if cert.not_after_ms > now + _AHEAD_MS:
        raise ConfigError(f"{where}: the code would be good for more than a year; nothing was imported")
    return InviteRow(
        invite_pk=cert.invite_pk,
        cert_body=found.cert,
        cert_sig=found.sig,
        salt=found.salt,
        record=found.record,
        not_after=cert.not_after_ms,
        made=now,
    )


def _proven(check: Callable[[], T], where: str, what: str) -> T:
    try:
        return check()
    except Reject as e:
        raise ConfigError(f"{where}: {what}; nothing was imported") from e
