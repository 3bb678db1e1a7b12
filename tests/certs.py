# SPDX-License-Identifier: EUPL-1.2
"""TLS certificates as authorities make them: for any dates and hosts, signed by an intermediate authority or not."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.crypto.tls import Pem


def make_cert(
    name: str,
    *,
    by: Pem | None = None,
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1"),
    begins_days: float = -1,
    ends_days: float = 90,
    authority: bool = False,
) -> Pem:
    """A certificate signed `by` another (None: by itself), good from and until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = _name(name), datetime.datetime.now(datetime.UTC)
    signer, issuer = key, subject
    if by is not None:
        loaded = serialization.load_pem_private_key(by.key, password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer, issuer = loaded, x509.load_pem_x509_certificate(by.cert).subject
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins_days))
        .not_valid_after(now + datetime.timedelta(days=ends_days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        made = made.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pem(cert=made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), key=private)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
