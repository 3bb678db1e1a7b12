# SPDX-License-Identifier: EUPL-1.2
"""Everything that can be set on a server, with its limits. Values only: admin.py makes the files it names."""

from dataclasses import dataclass, field
from pathlib import Path

from sync.protocol.version import PART_BYTES

_MIB = 1024 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ConfigError(Exception):
    """The server cannot start like this; the message is for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one connection, device or room may use. Sizes in bytes, times in seconds."""

    send_queue_bytes: int = 4 * _MIB
    """Waiting for a slow reader; beyond it Fresh becomes Behind, and requests are not read."""
    stall_s: float = 30.0
    """A reader that takes nothing for so long is cut off."""
    handshake_s: float = 20.0
    requests_at_once: int = 32
    frames_per_s: float = 2000.0
    frames_burst: int = 4000
    ephemeral_per_s: float = 60.0
    ephemeral_burst: int = 240
    ephemeral_bytes: int = 16 * 1024
    subscriptions: int = 10_000
    room_bytes: int = 64 * 1024 * _MIB
    device_bytes_a_day: int = 32 * 1024 * _MIB
    staged_seals_bytes: int = 16 * _MIB
    """Uploaded seals per device whose entry has not come yet."""
    staged_seals_s: float = 600.0
    reseals_kept: int = 8
    rooms_in_memory: int = 512
    logs_in_memory: int = 50_000
    part_bytes: int = PART_BYTES + 64 * 1024
    bearer_s: float = 600.0
    veto_s: float = 86_400.0
    """How long any device of a person may object to what was asked with their recovery sheet."""
    seen_s: float = 30 * 86_400.0
    """A device that signed in within this time is asked before the root alone revokes it."""
    revocations_a_day: int = 3
    """Of one person's devices, without the agency's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Where a server keeps its data and how it is reached.

    `port` 0 takes a free one. `addresses` are the `host:port` that clients may have dialled, lower case; empty
    means the names in the certificate and `host`, with the port in use.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    cert: Path | None = None
    key: Path | None = None
    insecure_loopback: bool = False
    addresses: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """ConfigError unless it is TLS, or plain HTTP that was asked for on loopback."""
        if self.insecure_loopback:
            if self.host not in _LOOPBACK:
                raise ConfigError("--insecure-loopback works on a loopback address only")
        elif self.cert is None or self.key is None:
            raise ConfigError("a certificate and its key are needed: --cert and --key")

    @property
    def database(self) -> Path:
        return self.data / "server.sqlite3"

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"
