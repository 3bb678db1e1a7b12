# SPDX-License-Identifier: EUPL-1.2
"""Reads a file of TLS certificates: for which names, from when until when, signed by which issuer. It validates
nothing: clients decide what they trust."""

import contextlib
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from sync.crypto.tls import hosts_in

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertFacts:
    """What one TLS certificate states: whose it is (`subject`), who signed it (`issuer`), from when until when it is
    valid (`begins_ms`, `ends_ms`, in ms since 1970), and its host names and addresses (`hosts`). `subject` and `issuer`
    are in the form of RFC 4514."""

    subject: str
    issuer: str
    begins_ms: int
    ends_ms: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """The place where a certificate chain breaks: `issuer` signed the certificate of `subject`, but has no certificate
    in the file and is no authority that this machine trusts. `stray` is true if the file has certificates that are not
    in the chain; none of them is the issuer's."""

    subject: str
    issuer: str
    stray: bool


def read_facts(pem: bytes) -> list[CertFacts]:
    """Reads every certificate of a PEM file, in order. ValueError if there is none, or one cannot be read."""
    return [_facts(cert) for cert in x509.load_pem_x509_certificates(pem)]


def missing_issuer(pem: bytes, authorities: Iterable[bytes]) -> Gap | None:
    """Follows the chain of a server's certificate, the first in the PEM file `pem`, from issuer to issuer through the
    file. Returns the first certificate whose issuer is missing, or None if the chain reaches a self-signed certificate
    or an authority. `authorities` are PEM files of what this machine trusts; a certificate in them that cannot be read
    is left out. ValueError if `pem` has no certificate, or one that cannot be read."""
    certs = x509.load_pem_x509_certificates(pem)
    at, rest = certs[0], certs[1:]
    while at.issuer != at.subject:
        issuer = _issuer(at, rest)
        if issuer is None:
            if _issuer(at, _readable(authorities)) is not None:
                return None
            return Gap(at.subject.rfc4514_string(), at.issuer.rfc4514_string(), stray=bool(rest))
        at, rest = issuer, [cert for cert in rest if cert is not issuer]
    return None


def _issuer(cert: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    return next((other for other in among if other.subject == cert.issuer and _signed(cert, other)), None)


def _signed(cert: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(by)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def _readable(authorities: Iterable[bytes]) -> list[x509.Certificate]:
    """The certificates in the PEM files `authorities`. Each is loaded by itself, and left out if the library refuses
    it: systems trust very old roots too, and the library refuses, or will refuse, some of them."""
    found: list[x509.Certificate] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in (block for pem in authorities for block in _BLOCK.findall(pem)):
            with contextlib.suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return found


def _facts(cert: x509.Certificate) -> CertFacts:
    return CertFacts(
        subject=cert.subject.rfc4514_string(),
        issuer=cert.issuer.rfc4514_string(),
        begins_ms=int(cert.not_valid_before_utc.timestamp() * 1000),
        ends_ms=int(cert.not_valid_after_utc.timestamp() * 1000),
        hosts=tuple(hosts_in(cert)),
    )
