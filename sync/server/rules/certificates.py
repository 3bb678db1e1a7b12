# SPDX-License-Identifier: EUPL-1.2
"""Judges the TLS certificate and the server's own: dates, names, chain. `serve --check` and a reload refuse a
faulty certificate; a start logs the fault as an error and continues.

A start does not refuse an expired certificate: this machine's clock may be the one that is wrong, and clients judge the
certificate by theirs. The operator still notices: there is an error in the log at the start and once a day,
/readyz says "certificate", and the figure of its days is below 0.
"""

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sync.crypto.chains import CertFacts, missing_issuer, read_facts
from sync.errors import Reject
from sync.server.config import Config, ConfigError, split_address
from sync.server.host.identity import Identity, read_identity, read_server_cert
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import server_cert_until_ms

log = logging.getLogger("sync.server")

DAY_MS = 86_400_000
SOON_MS = 30 * DAY_MS
_AGAIN_S = 86_400.0
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
"""Where Debian, Red Hat and SUSE keep the authorities that a machine trusts, in one file."""
_RENEW = "give it three more years, kansli-server renew-certificate"
_RELOAD = "renew it and reload the server"
_DATES = "dates"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a certificate, as sentences for an operator. `problems`: what makes clients refuse the server,
    now or when they dial the address that the sentence names, and a file that cannot be read; by a key that is the same
    for every certificate with the same problem. `warnings`: what does not, or not yet; behind a proxy, everything."""

    problems: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Certificates:
    """Watches the certificates of one running server: server.cert, by which the agency vouches for it, and the TLS
    certificate. Behind a proxy `cert` of the configuration, if it is set, names the proxy's file: its dates, names and
    chain are watched, but the server never uses it."""

    def __init__(self, config: Config, server_until_ms: int, clock: Callable[[], int] = now_ms) -> None:
        """`config` names the TLS certificate's file, which is read now; not behind a proxy. `server_until_ms`: when
        server.cert ends. `clock`: returns the time. Both in ms since 1970."""
        self._config = config
        self._server_until_ms = server_until_ms
        self._clock = clock
        self._in_use = None if config.plain else _read(config.cert)

    def check_new(self) -> None:
        """Called before the server reloads its TLS certificate. ConfigError if the file has a problem that the
        certificate in use does not have: a problem that both have must not keep a renewed certificate out. Never raises
        while the certificate in use is outside its dates, nor behind a proxy."""
        now = self._clock()
        new, old = judge(self._config, now).problems, judge(self._config, now, self._in_use).problems
        fresh = {key: problem for key, problem in new.items() if key not in old}
        if fresh and _DATES not in old:
            raise ConfigError("; ".join(fresh.values()))

    def adopt_new(self) -> None:
        """Called when the server has reloaded its TLS certificate: notes that it now uses the one in the file, and logs
        what is wrong with it and with server.cert. Behind a proxy only logs."""
        if not self._config.plain:
            self._in_use = _read(self._config.cert)
        self.log_problems()

    def days(self) -> dict[str, float]:
        """How many days each certificate is still valid, negative after its end: "server" for server.cert, and "tls" if
        there is a TLS certificate that can be read."""
        until = {"server": self._server_until_ms}
        if tls := self._facts():
            until["tls"] = tls[0].ends_ms
        return {which: _days(ms, self._clock()) for which, ms in until.items()}

    @property
    def good(self) -> bool:
        """Whether the certificates in use are valid now, by this machine's clock; /readyz reports it. Only their dates
        are compared. A TLS certificate that cannot be read does not count. Behind a proxy only server.cert counts,
        since the server does not use the proxy's."""
        now = self._clock()
        in_use = self._facts()[:1] if self._in_use is not None else []
        return self._server_until_ms > now and all(fact.begins_ms <= now < fact.ends_ms for fact in in_use)

    async def watch(self) -> None:
        """Logs what is wrong with the server's certificates, as `log_problems` does: now, and then once a day until it
        is cancelled. A certificate gets a warning for its last 30 days."""
        while True:
            self.log_problems()
            await asyncio.sleep(_AGAIN_S)

    def log_problems(self) -> None:
        """Logs what is wrong with the certificates at this time, and a file that was changed but not reloaded."""
        now = self._clock()
        verdict = judge(self._config, now, self._in_use)
        own = _dates("server.cert", 0, self._server_until_ms, now, _RENEW)
        for problem in [*own.problems.values(), *verdict.problems.values()]:
            log.error("%s", problem)
        for warning in own.warnings + verdict.warnings:
            log.warning("%s", warning)
        if self._in_use is not None and _read(self._config.cert) != self._in_use:
            log.warning("%s was changed since it was read: reload the server", self._config.cert)

    def _facts(self) -> list[CertFacts]:
        """The TLS certificate in use, as it was last loaded, and the others in its file, in the file's order; behind a
        proxy, those that are in the configured file now. Empty if there is no file, or it cannot be read."""
        pem = self._in_use if self._in_use is not None else _read(self._config.cert)
        return _facts(pem)


def judged_identity(data: Path, at_ms: int) -> Identity:
    """Reads the server's keys and certificates from the folder `data`, at a start, and checks the server's certificate
    at the time `at_ms` (ms since 1970). ConfigError if a file is missing or cannot be read, if the certificate is for
    another key, or if it has ended (with the date). Reject if a certificate is malformed or the agency did not sign
    it."""
    try:
        return read_identity(data, at_ms)
    except Reject as e:
        cert = read_server_cert(data) if e.code == "expired" else None
        if cert is None:
            raise
        ended = _date(server_cert_until_ms(cert.body))
        raise ConfigError(f"{data / 'server.cert'} ended on {ended}: {_RENEW}") from e


def check_certificates(config: Config) -> list[str]:
    """The warnings about a configuration's certificates, one sentence each; [] if there are none. For the check before
    a start. ConfigError if clients would refuse the TLS certificate, if server.cert has ended, or if a file of the
    server's keys is missing, cannot be read or does not belong to the others. Reject if server.cert or escrow.cert is
    malformed, or the agency did not sign it."""
    now = now_ms()
    identity = judged_identity(config.data, now)
    verdict = judge(config, now)
    if verdict.problems:
        raise ConfigError("; ".join(verdict.problems.values()))
    own = _dates("server.cert", 0, server_cert_until_ms(identity.cert.body), now, _RENEW)
    return own.warnings + verdict.warnings


def days_left(config: Config) -> dict[str, float]:
    """How many days the certificates in a configuration's files are still valid, negative after the end: "server"
    (server.cert) and "tls", each only if its file exists and can be read."""
    now, until = now_ms(), dict[str, int]()
    with contextlib.suppress(ConfigError, OSError, Reject):
        if (cert := read_server_cert(config.data)) is not None:
            until["server"] = server_cert_until_ms(cert.body)
    if tls := _facts(_read(config.cert)):
        until["tls"] = tls[0].ends_ms
    return {which: _days(ms, now) for which, ms in until.items()}


def judge(config: Config, at_ms: int, pem: bytes | None = None) -> Verdict:
    """Judges the TLS certificate in the file that `config` names, as of the time `at_ms` (ms since 1970); judges `pem`
    instead if it is given. A file that cannot be read is a problem in the verdict, no error. Behind a proxy every
    problem is a warning, since the server works without this certificate. Nothing is wrong if `config` names none."""
    verdict = _judge(config, at_ms, pem)
    return Verdict(warnings=[*verdict.problems.values(), *verdict.warnings]) if config.plain else verdict


def _judge(config: Config, at_ms: int, pem: bytes | None) -> Verdict:
    if config.cert is None:
        return Verdict()
    pem = pem if pem is not None else _read(config.cert)
    facts = _facts(pem)
    if pem is None or not facts:
        return Verdict(problems={"file": f"{config.cert} cannot be read as certificates, so nothing of it is watched"})
    verdict = _dates(str(config.cert), facts[0].begins_ms, facts[0].ends_ms, at_ms, _RELOAD)
    for fact in facts[1:]:  # no problem: clients may know another way to an authority that they trust
        dates = _dates(f"{config.cert}: its authority {fact.subject}", fact.begins_ms, fact.ends_ms, at_ms, _RELOAD)
        verdict.warnings.extend([*dates.problems.values(), *dates.warnings])
    _judge_names(config, facts[0], verdict)
    _judge_chain(config, pem, verdict)
    return verdict


def _dates(what: str, begins_ms: int, ends_ms: int, at_ms: int, remedy: str) -> Verdict:
    if ends_ms <= at_ms:
        return Verdict(problems={_DATES: f"{what} ended on {_date(ends_ms)}, clients refuse it: {remedy}"})
    if begins_ms > at_ms:
        sentence = f"{what} begins on {_date(begins_ms)}, clients refuse it until then: is the clock right?"
        return Verdict(problems={_DATES: sentence})
    if ends_ms < at_ms + SOON_MS:
        days = (ends_ms - at_ms) // DAY_MS
        return Verdict(warnings=[f"{what} ends on {_date(ends_ms)}, in {days} days: {remedy}"])
    return Verdict()


def _judge_names(config: Config, fact: CertFacts, verdict: Verdict) -> None:
    """Adds to `verdict` a problem for each address in `config` that the certificate `fact` does not cover."""
    for address in config.addresses:
        if not any(_covers(host, split_address(address)[0]) for host in fact.hosts):
            has = ", ".join(fact.hosts) or "no host"
            sentence = f"{config.cert} is not for {address}, which `addresses` names; it is for {has}"
            verdict.problems[f"name {address}"] = sentence


def _covers(host: str, dialled: str) -> bool:
    """Whether `host`, a name or address in a certificate, covers `dialled`, the one that a client dials, as TLS
    compares them: `*` matches exactly the first label; IP addresses are compared by value, names without regard to
    case."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) == ipaddress.ip_address(dialled)
    host, dialled = host.lower(), dialled.lower()
    first, _, rest = dialled.partition(".")
    return bool(first) and rest == host[2:] if host.startswith("*.") else host == dialled


def _judge_chain(config: Config, pem: bytes, verdict: Verdict) -> None:
    """Follows the certificates in the file `pem` (`config` names it) from issuer to issuer, and changes `verdict` if an
    issuer is missing: neither in the file nor an authority of this machine. If the file has other certificates that do
    not belong to the chain, that is a problem. The operator has appended certificates, but not the intermediate one
    that clients need. If the file has none left, it is only a warning: clients may know the authority."""
    gap = missing_issuer(pem, _authorities(config))
    if gap is None:
        return
    signed = f"{config.cert}: {gap.subject} is signed by {gap.issuer}"
    if gap.stray:
        verdict.problems["chain"] = f"{signed}, which is none of the other certificates in the file: append that one"
        return
    doubt = "which is not in the file and no authority of this machine"
    verdict.warnings.append(f"{signed}, {doubt}: append it, unless every client has it as an authority")


def _authorities(config: Config) -> list[bytes]:
    default = ssl.get_default_verify_paths().cafile
    places = [Path(place) for place in (default, *_BUNDLES) if place is not None]
    found = [_read(place) for place in [config.data / "ca.pem", *places]]
    return [pem for pem in found if pem is not None]


def _facts(pem: bytes | None) -> list[CertFacts]:
    try:
        return read_facts(pem) if pem is not None else []
    except ValueError:
        return []


def _read(path: Path | None) -> bytes | None:
    try:
        return path.read_bytes() if path is not None else None
    except OSError:
        return None


def _days(until_ms: int, at_ms: int) -> float:
    return round((until_ms - at_ms) / DAY_MS, 2)


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")
