# SPDX-License-Identifier: EUPL-1.2
"""The socket that clients reach: opened here (TCP or unix), or passed in by systemd, which keeps it open while the
server restarts."""

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from sync.crypto.tls import hosts_of
from sync.protocol.addresses import address_name, host_name
from sync.server.config import LOOPBACK, Config, ConfigError

_FIRST_FD = 3
"""The first file descriptor that systemd passes (sd_listen_fds)."""
_PROBE_S = 1.0
"""How long the process behind a unix socket may take to accept a connection that only asks whether it is there."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The socket on which the server listens, and its address. For a unix socket `port` is 0 and `host` the path."""

    socket: socket.socket
    host: str
    port: int

    def url(self, scheme: str) -> str:
        """The URL at which clients connect."""
        return f"{scheme}://{address_name(self.host, self.port)}" if self.port else f"unix:{self.host}"


def listen(config: Config) -> Listening:
    """The socket that systemd passed in; without one, a new socket as the configuration says, bound but not listening
    yet. ConfigError if a new one cannot be opened (OSError for IPv6 on a machine without it). ConfigError also if
    systemd passed several, one that is no stream socket, a unix socket without `behind_proxy`, or for plain HTTP one
    that is not on loopback."""
    found = _inherited()
    if found is not None:
        try:
            return _checked(found, config)
        except ConfigError:
            found.close()
            raise
    if config.unix is not None:
        return Listening(_unix(config.unix), str(config.unix), 0)
    listening = listen_on(config.host, config.port)
    return Listening(listening, config.host, listening.getsockname()[1])


def listen_on(host: str, port: int) -> socket.socket:
    """Makes a TCP socket that is bound to `host` and `port` (0 takes a free one) but does not listen yet. ConfigError
    if it cannot be bound, for example if the port is in use. OSError for an IPv6 address on a machine without IPv6."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the socket says it is TCP: without it a reply may wait 40 ms for an ACK
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, TypeError) as e:  # TypeError: no name of a host can look like this
        listening.close()
        raise ConfigError(f"cannot listen on {address_name(host, port)}: {_reason(e)}") from e
    return listening


def _inherited() -> socket.socket | None:
    """The socket that systemd opened for this process, None if it opened none. A second call returns None. ConfigError
    if there are several."""
    count, pid = os.environ.pop("LISTEN_FDS", "0"), os.environ.pop("LISTEN_PID", "")
    if pid != str(os.getpid()) or count == "0":
        return None
    if count != "1":
        raise ConfigError(f"systemd handed over {count} sockets; the server listens on one")
    os.set_inheritable(_FIRST_FD, False)
    return socket.socket(fileno=_FIRST_FD)


def _checked(found: socket.socket, config: Config) -> Listening:
    if found.type != socket.SOCK_STREAM:
        raise ConfigError("systemd handed over no stream socket")
    name = found.getsockname()
    if found.family == socket.AF_UNIX:
        if not config.behind_proxy:
            raise ConfigError("systemd handed over a unix socket: it needs behind_proxy = true")
        return Listening(found, str(name), 0)
    host, port = str(name[0]), int(name[1])
    if config.plain and host not in LOOPBACK:
        raise ConfigError(f"plain HTTP on {address_name(host, port)}: systemd's socket must be on loopback or unix")
    return Listening(found, host, port)


def _unix(path: Path) -> socket.socket:
    """Makes a unix socket at `path` that its owner and group can connect to, and that listens already. Replaces a
    socket to which connections are refused, such as one that a killed server left. ConfigError if a process is there,
    if `path` is a file of any other kind, or if the system refuses."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
            path.unlink()
        listening.bind(str(path))
        path.chmod(0o660)
        listening.listen()  # at once: otherwise another server would find a socket behind which nobody listens
    except OSError as e:
        listening.close()
        raise ConfigError(f"cannot listen on {path}: {_reason(e)}") from e
    return listening


def _reason(e: Exception) -> str:
    """The system's words for an error; Python's own, if it is Python's refusal, as of a path that is too long."""
    return getattr(e, "strerror", None) or str(e)


def _answers(path: Path) -> bool:
    """Whether a process listens on the unix socket at `path`. True also where that cannot be found out, since a socket
    is removed on this answer: the process is busy, or this user may not connect, or it is a socket of another kind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            pass  # it cannot be found out
        return True


def dialled(config: Config, at: Listening) -> frozenset[str]:
    """The addresses (`host:port`) that clients may dial if the configuration names none: the certificate's names, or
    for plain HTTP loopback's, and the host of the socket `at`, with its port. On port 443 also without a port.
    ConfigError if the certificate cannot be read as one, names no host, or is for any host of a domain; OSError if its
    file cannot be opened."""
    hosts = {at.host}
    if config.cert is not None and not config.plain:
        hosts |= named(config.cert)
    else:
        hosts |= set(LOOPBACK)
    default = frozenset(map(host_name, hosts)) if at.port == 443 else frozenset()
    return default | {address_name(h, at.port) for h in hosts}


def named(cert: Path) -> frozenset[str]:
    """The hosts that the certificate in the file `cert` is for, lower case. ConfigError if it names none, or if it is
    for any host of a domain (`*.example.se`), since the server then cannot know which host clients dial. ConfigError
    too for a file that is no PEM certificate, even if OpenSSL accepts it (BEGIN TRUSTED CERTIFICATE). OSError if it
    cannot be opened."""
    try:
        hosts = frozenset(host.lower() for host in hosts_of(cert.read_bytes()))
    except ValueError as e:
        raise ConfigError(f"{cert} cannot be used: a PEM file with BEGIN CERTIFICATE is needed") from e
    if not hosts:
        raise ConfigError(f"{cert} names no host (subjectAltName), so clients refuse it: get one that does")
    any_host = sorted(host for host in hosts if host.startswith("*."))
    if any_host:
        example = f'addresses = ["kansli.{any_host[0][2:]}:443"]'
        raise ConfigError(f"the certificate is for {any_host[0]}: say what clients dial, {example} (--address)")
    return hosts
