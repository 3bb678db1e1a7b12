# SPDX-License-Identifier: EUPL-1.2
"""What an operator does from the command line: found an agency, invite, count."""

import os
from pathlib import Path

from sync.crypto.tls import make_ca, make_server_cert
from sync.server.auth import now_ms
from sync.server.config import Config, ConfigError
from sync.server.identity import read_agency, write_agency, write_server
from sync.server.store.base import Counts, InviteRow
from sync.server.store.sql import SqlStore
from sync.trust.agency import SignInCode, encode_record, record_hash

_YEAR_MS = 365 * 86_400_000
_SERVER_YEARS = 3


def init(data: Path, *, demo_ca: list[str] | None = None, name: str = "Kansli") -> None:
    """Makes keys in an empty or missing folder. ConfigError if an agency lives there already.

    With `demo_ca` also an authority and a certificate for those hosts and loopback: ca.pem, tls.pem, tls.key.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    agency = write_agency(data, os.urandom(32))
    write_server(data, os.urandom(32), agency, now_ms() + _SERVER_YEARS * _YEAR_MS)
    if demo_ca is not None:
        ca = make_ca(f"{name} – demo")
        hosts = list(dict.fromkeys([*demo_ca, "localhost", "127.0.0.1", "::1"]))
        leaf = make_server_cert(ca, hosts)
        (data / "ca.pem").write_bytes(ca.cert)
        (data / "tls.pem").write_bytes(leaf.cert)
        _write_secret(data / "tls.key", leaf.key)


async def invite(
    data: Path, *, name: str, title: str, unit: str, hours: float = 72, key_file: Path | None = None
) -> str:
    """A one-time sign-in code for one person. The server may be running."""
    if not name.strip():
        raise ConfigError("a name is needed")
    agency = read_agency(data, key_file)
    code = SignInCode.fresh(agency.pk)
    salt = os.urandom(16)
    record = encode_record({"name": name, "title": title, "unit": unit})
    not_after = now_ms() + int(hours * 3_600_000)
    invite_pk = code.key.public
    body, sig = agency.certify_invite(invite_pk, record_hash(salt, record), not_after)
    store = SqlStore(Config(data=data).database)
    await store.open()
    try:
        await store.add_invite(
            InviteRow(invite_pk=invite_pk, cert_body=body, cert_sig=sig, salt=salt, record=record, not_after=not_after)
        )
    finally:
        await store.close()
    return code.format()


async def status(data: Path) -> Counts:
    """How much of everything there is. The server may be running."""
    if not Config(data=data).database.exists():
        raise ConfigError("nothing here yet: run init and invite or serve first")
    store = SqlStore(Config(data=data).database)
    await store.open()
    try:
        return await store.counts(now_ms())
    finally:
        await store.close()


def _write_secret(path: Path, secret: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(secret)
