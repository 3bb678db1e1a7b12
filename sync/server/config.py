# SPDX-License-Identifier: EUPL-1.2
"""Everything that can be set on a server, with its limits. Values only: admin.py makes the files it names."""

from dataclasses import dataclass, field
from pathlib import Path

from sync.errors import WorldError
from sync.protocol.programs import Release
from sync.protocol.version import PART_BYTES

_MIB = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ConfigError(WorldError):
    """Raised when the server or a command cannot run with this configuration, these options or this folder. The message
    is a sentence for the operator."""

    code = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All limits of one server: bounds on what one connection, address, device, person or room may use. Sizes in bytes,
    times in seconds."""

    send_queue_bytes: int = 4 * _MIB
    """Most bytes that wait for a slow reader. Beyond it Fresh becomes Behind, and requests are not read."""
    stall_s: float = 30.0
    """A client that reads nothing for so long is disconnected."""
    handshake_s: float = 20.0
    """Longest time from the WebSocket's opening to the sign-in."""
    head_s: float = 10.0
    """Longest time from a connection's beginning to the end of its request's head, TLS included."""
    unsigned_connections: int = 1000
    """Most connections that have not signed in. Beyond it the oldest that waits for its client is ended."""
    unsigned_bytes: int = 64 * _MIB
    """Most unanswered bytes of all connections that have not signed in. Beyond it the oldest that sent any is ended."""
    address_unsigned_connections: int = 500
    """Most connections of one address that have not signed in: a whole office may reconnect through one."""
    address_connections: int = 5000
    """Most connections of one address, signed in or not."""
    address_requests_per_s: float = 100.0
    address_requests_burst: int = 2000
    """Requests of one address before sign-in: how many a second on average, and how many at once."""
    address_processor_per_s: float = 0.1
    address_processor_burst_s: float = 2.0
    """Seconds of processor time that one address may use before sign-in; beyond it its requests wait for others'."""
    device_connections: int = 4
    """Most connections of one device. With one more the oldest is ended."""
    requests_at_once: int = 8
    frames_per_s: float = 500.0
    frames_burst: int = 4000
    """Requests of one device, a second on average and at once; beyond it they wait."""
    processor_per_s: float = 0.1
    processor_burst_s: float = 0.25
    """Seconds of processor time that one device may use; beyond it its requests wait for others'."""
    waiting_share: float = 0.1
    """The share of the time that the requests of all parties beyond their processor time get together, while others are
    served."""
    ephemeral_presence_per_s: float = 5.0
    ephemeral_presence_burst: int = 400
    """Ephemeral messages of one device by their kind, a second on average and at once; beyond it they are dropped.
    Presence is sent once for each person in common, so a person in 300 rooms sends 300 at once after a change."""
    ephemeral_typing_per_s: float = 2.0
    ephemeral_typing_burst: int = 20
    """One in 3 s while its user types, and one when that ends."""
    ephemeral_caret_per_s: float = 15.0
    ephemeral_caret_burst: int = 60
    """Ten a second while a selection moves."""
    ephemeral_call_per_s: float = 20.0
    ephemeral_call_burst: int = 160
    """A few dozen of 3 to 4 kB for each of several others when a call begins."""
    ephemeral_live_per_s: float = 40.0
    ephemeral_live_burst: int = 160
    """Up to 30 a second while its user writes or draws."""
    ephemeral_other_per_s: float = 1.0
    ephemeral_other_burst: int = 10
    """All kinds together that this release does not know: the smallest, since nobody can say what they need."""
    ephemeral_bytes: int = 16 * 1024
    subscriptions: int = 10_000
    room_bytes: int = 64 * 1024 * _MIB
    device_bytes_a_day: int = 32 * 1024 * _MIB
    device_files: int = 8
    """Most requests of one device for parts of files at a time; a few more wait."""
    device_uploads: int = 8
    """Most unfinished uploads of one device. With one more the oldest is dropped."""
    upload_s: float = 86_400.0
    """How long an upload of a part may take."""
    staged_seals_bytes: int = 16 * _MIB
    """Most bytes of one device's uploaded seals whose entry is not appended yet."""
    staged_seals_s: float = 600.0
    reseals_kept: int = 8
    rooms_in_memory: int = 512
    logs_in_memory: int = 50_000
    part_bytes: int = PART_BYTES + 64 * 1024
    bearer_s: float = 600.0
    veto_s: float = 86_400.0
    """How long the person's devices may object to a request by recovery sheet."""
    seen_s: float = 30 * 86_400.0
    """The root alone can revoke a device that signed in within this time only after the wait for a veto."""
    revocations_a_day: int = 3
    """Most revocations a day by one device, or by a person's root, without the agency's key."""
    rooms_a_person: int = 10_000
    """Most rooms of one person, who is then not added to any other. So many heads fit into the frame that answers a
    sign-in."""
    unanswered_adds: int = 50
    """Most rooms to which one administrator has added a person who has no item there yet."""
    log_entries: int = 1000
    log_entries_a_day: int = 50
    """Most entries of one person's log, in all and a day. Entries that end a device or an account, and those that
    follow from that, are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where a server keeps its data, how it is reached, and what it logs and measures.

    `port` 0 takes a free one. `cert` and `key`: the PEM files of the TLS certificate. `insecure_loopback`: plain HTTP
    on a loopback address, to try the server out. `addresses` are the `host:port` that clients may have dialled, lower
    case; empty means the names in the certificate and `host`, with the port in use. A sign-in for any other address is
    refused, so that no false server can pass it on. config_file.py reads it from TOML.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8443
    unix: Path | None = None
    """Listens on this socket instead of host and port. The rights of its folder determine who may connect."""
    cert: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    """Whether a proxy on this machine has the certificate: then plain HTTP on loopback or `unix`, and `addresses` are
    needed."""
    insecure_loopback: bool = False
    addresses: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    """The proxies whose X-Forwarded-For names a request's origin: addresses, networks, "unix" for the unix socket."""
    min_client: Release | None = None
    """The oldest release of the client program that may sign in; None for any."""
    metrics: str = ""
    """`host:port` on loopback of /metrics, /healthz and /readyz for the operator; empty for none."""
    disk_reserve_bytes: int = 256 * _MIB
    """With less space left on the disk, no file is accepted: the rest is for texts and keys."""
    log_level: str = "INFO"
    log_format: str = "text"
    log_file: Path | None = None
    """A log file beside standard error. A new one begins after `log_file_bytes`; `log_files_kept` old ones are kept."""
    log_file_bytes: int = 16 * _MIB
    log_files_kept: int = 8
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """Checks the configuration, but opens no file. ConfigError unless the server either uses TLS, with `cert` and
        `key`, or uses plain HTTP that was asked for and cannot be reached from outside. ConfigError also for a unix
        socket without a proxy, a proxy without `addresses`, a bad address or port, and `metrics` that is not on
        loopback."""
        if self.unix is not None and not self.behind_proxy:
            raise ConfigError("unix needs behind_proxy = true: only a proxy can reach it")
        if self.plain:
            if self.unix is None and self.host not in LOOPBACK:
                asked = "behind_proxy" if self.behind_proxy else "--insecure-loopback"
                raise ConfigError(f"{asked} works on a loopback address only: host is one of {', '.join(LOOPBACK)}")
            if self.behind_proxy and not self.addresses:
                raise ConfigError('behind_proxy needs what clients dial: addresses = ["kansli.example.se:443"]')
        elif self.cert is None or self.key is None:
            raise ConfigError("a certificate and its key are needed: cert and key (--cert and --key)")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port {self.port} is none: a number from 0 to 65535 is needed")
        for address in self.addresses:
            split_address(address)
        if self.metrics and split_address(self.metrics)[0] not in LOOPBACK:
            raise ConfigError(f"metrics must be on a loopback address: one of {', '.join(LOOPBACK)}")

    @property
    def plain(self) -> bool:
        """Whether the server uses plain HTTP."""
        return self.behind_proxy or self.insecure_loopback

    @property
    def database(self) -> Path:
        return self.data / "server.sqlite3"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"


def split_address(address: str) -> tuple[str, int]:
    """Splits `address`, a `host:port`, into the host (without brackets) and the port. ConfigError for any other
    text."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{address!r} is no address: host:port is needed")
    return host.removeprefix("[").removesuffix("]"), int(port)
