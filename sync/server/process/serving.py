# SPDX-License-Identifier: EUPL-1.2
"""`serve`: runs the server as a process, with signals, systemd and the ready line. Also `serve --check`, which starts
nothing."""

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator

from sync.protocol.programs import shown
from sync.server.config import Config, ConfigError
from sync.server.host import systemd_notify
from sync.server.host.listening import named
from sync.server.operator.upkeep.reading import check_version
from sync.server.process.running import Running, start_server, tls_context
from sync.server.rules.certificates import check_certificates, judged_identity
from sync.server.rules.handshake import now_ms

log = logging.getLogger("sync.server")


async def serve(config: Config) -> None:
    """Runs a server with the configuration `config` until SIGTERM or SIGINT, then stops it in order and returns. SIGHUP
    makes it read the TLS certificate again. When clients can connect, prints a line of JSON to standard output that
    says where, and notifies systemd. If the server cannot start: ConfigError, StoreError, OSError, or Reject for a
    certificate of the agency that does not verify."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    async with start_server(config) as server, _watched():
        loop.add_signal_handler(signal.SIGHUP, _reload, server)
        ready = {"ready": True, "host": server.host, "port": server.port, "url": server.url, "metrics": server.monitor}
        print(json.dumps(ready), flush=True)
        log.info("ready")
        systemd_notify.notify("READY=1")
        await stop.wait()
        systemd_notify.notify("STOPPING=1")
        log.info("stopping")
    log.info("stopped")


@contextlib.asynccontextmanager
async def _watched() -> AsyncIterator[None]:
    watchdog = asyncio.create_task(systemd_notify.watchdog())
    try:
        yield
    finally:
        watchdog.cancel()
        await asyncio.wait([watchdog])


def _reload(server: Running) -> None:
    """Makes the server read its TLS certificate again. A certificate that cannot be used is logged, and the old one
    stays in use. No client is disconnected in either case."""
    systemd_notify.notify_reloading()
    try:
        server.reload()
        log.info("certificate read again")
    except (ConfigError, OSError) as e:  # OSError: the file was replaced between two reads
        log.error("the certificate was not read again: %s", e)
    systemd_notify.notify("READY=1")


def check(config: Config) -> str:
    """Checks that a server would start with this configuration and that clients would accept it. Returns a sentence
    with where it would listen, and a line for each warning. ConfigError, Reject or StoreError otherwise.

    Opens and changes nothing, so it does not notice a port that is in use.
    """
    config.check()
    identity = judged_identity(config.data, now_ms())
    if not config.plain:
        tls_context(config)
        if config.cert is not None and not config.addresses:
            named(config.cert)
    for folder in (config.data, config.log_file.parent if config.log_file is not None else config.data):
        if not os.access(folder, os.W_OK):
            raise ConfigError(f"{folder} is not there or cannot be written")
    if config.database.exists():
        check_version(config.database)
    warnings = check_certificates(config)
    where = config.unix or f"{config.host}:{config.port}"
    kind = "plain HTTP for a proxy" if config.plain else "TLS"
    refused = f" Clients older than {shown(config.min_client)} are refused." if config.min_client is not None else ""
    sound = f"The configuration is sound: {kind} on {where}, agency {identity.fingerprint.hex()[:16]}.{refused}"
    return "\n".join([sound, *(f"Warning: {warning}." for warning in warnings)])
