# SPDX-License-Identifier: EUPL-1.2
"""The keys in a server's data folder, as small text files: version line, then hex.

`server.key` signs receipts and is certified by the agency in `server.cert`; `agency.pub` says which agency this is;
`escrow.cert` has the public key to which the shares of recovery sheets are sealed. ▲ `agency.key` and `escrow.key` lie
in a folder of their own, outside the data folder: `agency.where` says in which.
"""

from dataclasses import dataclass
from pathlib import Path

from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.protocol.messages import Signed
from sync.server.config import ConfigError
from sync.server.host.files import create_private, replace_file
from sync.server.host.key_file import HEAD, SEED_BYTES, STDIN, parse, read_seed, read_values
from sync.trust.person.agency import Agency, agency_fingerprint, verify_server_cert
from sync.trust.person.escrow_key import certify_escrow, check_escrow

AGENCY_KEY = "agency.key"
ESCROW_KEY = "escrow.key"


class OtherKey(ConfigError):
    """A ConfigError: the server's key and the certificate for it do not belong together. Raised where they are read,
    and a class of its own so that a restore can say which file is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The keys and certificates of a running server. `key`: the server's own, which signs receipts (statements to
    clients of what it has stored); `cert`: the agency's certificate for it. `escrow`: the agency's certificate for its
    escrow key, to which recovery sheets' shares are sealed. `agency_pk`: the agency's public key; `fingerprint`: its
    hash."""

    key: SigningKey
    cert: Signed
    escrow: Signed
    """The certificate of the agency's escrow key."""
    agency_pk: bytes
    fingerprint: bytes


def write_agency(data: Path, keys: Path, seed: bytes, escrow_seed: bytes) -> Agency:
    """Stores a new agency key (of `seed`) and escrow key (of `escrow_seed`; it opens the shares of recovery sheets) in
    the folder `keys`, and what is public of them in `data`. ConfigError if `data` has an agency already, also where its
    keys were moved away, or if `keys` has such a key.

    ▲ ConfigError if `keys` is in the data folder. Otherwise a copy of the server's disk, with the secrets there, and a
    person's recovery sheet would open everything that the person could read.
    """
    if (data / "agency.pub").exists():
        raise ConfigError(f"{data}: an agency exists already")
    if keys.resolve().is_relative_to(data.resolve()):
        raise ConfigError(f"{keys} is in the data folder: the agency's keys must lie elsewhere, best on another medium")
    agency, escrow = Agency(seed), KemKey(escrow_seed)
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(keys / AGENCY_KEY, seed)
    _write(keys / ESCROW_KEY, escrow_seed, agency.pk)
    _write(data / "escrow.cert", *certify_escrow(agency, escrow.public))
    _write(data / "agency.where", str(keys.resolve()).encode())
    _write(data / "agency.pub", agency.pk)
    return agency


def keys_folder(data: Path) -> Path:
    """Where `init` put the agency's keys. ConfigError if the data folder's note of it is missing or cannot be read."""
    note = data / "agency.where"
    try:
        return Path(_read(note, 1)[0].decode())
    except UnicodeDecodeError as e:
        raise _unreadable(note) from e


def read_agency(data: Path, key_file: Path | None = None) -> Agency:
    """The agency's private key, from the file `key_file` (`-` is standard input, which can be read once), or if that is
    None from where `init` put it. `data`: the server's data folder, which says which agency it is of. ConfigError if
    the key is missing, cannot be read or belongs to a different agency, and if `data` has no agency. OSError if a file
    in `data` cannot be opened."""
    public, path = read_agency_pk(data), key_file or keys_folder(data) / AGENCY_KEY
    agency = Agency(read_seed(path))
    if agency.pk != public:
        name = "standard input" if path == STDIN else path
        raise ConfigError(f"{name} is the key of another agency than the one in {data}")
    return agency


@dataclass(frozen=True, slots=True)
class Escrow:
    """The agency's escrow key (`key`), which opens the shares of recovery sheets (the halves of their secrets that are
    not on the paper), and `agency_pk`, the public key of the agency, by which a request to open a share is verified."""

    key: KemKey
    agency_pk: bytes


def read_escrow(path: Path) -> Escrow:
    """The agency's escrow key, with the agency's public key, from the file `path` (`-` is standard input, which can be
    read once). ConfigError if the file is missing, if this user may not read it, if it is not that of an escrow key, if
    everybody on this machine may read or change it, or if standard input is a terminal; OSError if it cannot be read
    for any other reason."""
    seed, agency_pk = read_values(path, ESCROW_KEY, "--escrow-key", 2)
    return Escrow(KemKey(seed), agency_pk)


def read_agency_pk(data: Path) -> bytes:
    """Which agency this folder belongs to."""
    return _read_key(data / "agency.pub")


def write_server(data: Path, seed: bytes, agency: Agency, not_after_ms: int) -> None:
    """Stores in the folder `data` a new key of the server, made from `seed` (32 bytes), and the certificate for it by
    `agency`, valid until `not_after_ms` (ms since 1970). ConfigError if `data` has a server's key or certificate
    already. OSError if a file cannot be written."""
    _write(data / "server.key", seed)
    _write(data / "server.cert", *agency.certify_server(SigningKey(seed).public, not_after_ms))


def renew_server(data: Path, agency: Agency, not_after_ms: int) -> None:
    """Stores in the folder `data` a new certificate for the server's present key, made by `agency` and valid until
    `not_after_ms` (ms since 1970). The key stays, so that the receipts (the server's signatures on what it has stored)
    that clients keep stay valid. Replaces the old certificate in one step. ConfigError if the key is missing or cannot
    be read; OSError if a file cannot be written."""
    cert = agency.certify_server(SigningKey(_read_key(data / "server.key")).public, not_after_ms)
    replace_file(data / "server.cert", _content(*cert), 0o600)


def read_identity(data: Path, now_ms: int) -> Identity:
    """The keys and certificates of the server in the folder `data`. ConfigError if a file is missing, is no key file,
    or has a wrong number of values or a key of a wrong length, and OtherKey, a ConfigError too, if the server's
    certificate is for a different key. Reject "expired" if that certificate ended before `now_ms` (ms since 1970),
    "signature" if a certificate is not signed by the agency, "bad-key", "malformed", "encoding" or "oversize" for what
    is in it. OSError if a file cannot be opened."""
    key = SigningKey(_read_key(data / "server.key"))
    agency_pk = read_agency_pk(data)
    body, sig = _read(data / "server.cert", 2)
    if verify_server_cert(agency_pk, body, sig, now_ms) != key.public:
        raise OtherKey("server.cert is for another server.key")
    escrow = _read(data / "escrow.cert", 2)
    check_escrow(agency_pk, *escrow)
    return Identity(
        key=key,
        cert=Signed(body, sig),
        escrow=Signed(*escrow),
        agency_pk=agency_pk,
        fingerprint=agency_fingerprint(agency_pk),
    )


def read_server_cert(data: Path) -> Signed | None:
    """The server's certificate, not checked; None if it is not there. ConfigError if the file holds no certificate."""
    return _read_cert(data / "server.cert")


def read_escrow_cert(data: Path) -> Signed | None:
    """The escrow key's certificate, not checked; None if it is not there. ConfigError if the file holds no
    certificate."""
    return _read_cert(data / "escrow.cert")


def _read_cert(path: Path) -> Signed | None:
    if not path.exists():
        return None
    body, sig = _read(path, 2)
    return Signed(body, sig)


def _write(path: Path, *values: bytes) -> None:
    try:
        create_private(path, _content(*values))
    except FileExistsError as e:
        raise ConfigError(f"{path.name} exists already") from e


def _content(*values: bytes) -> bytes:
    return "\n".join((HEAD, *(v.hex() for v in values), "")).encode("ascii")


def _read(path: Path, count: int) -> list[bytes]:
    """The values in the file `path`. ConfigError if it is missing or has not `count` of them."""
    try:
        values = parse(path.read_text())
    except FileNotFoundError as e:
        raise ConfigError(f"{path.name} is missing: run init first") from e
    except ValueError as e:
        raise _unreadable(path) from e
    if len(values) != count:
        raise _unreadable(path)
    return values


def _read_key(path: Path) -> bytes:
    """The one key in the file `path`. ConfigError if the file is missing or has anything else."""
    (key,) = _read(path, 1)
    if len(key) != SEED_BYTES:
        raise _unreadable(path)
    return key


def _unreadable(path: Path) -> ConfigError:
    return ConfigError(f"{path.name} cannot be read: it is damaged, or no file of that kind")
