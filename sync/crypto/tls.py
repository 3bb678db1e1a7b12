# SPDX-License-Identifier: EUPL-1.2
"""A certificate authority and a server certificate for demonstrations, tests and single-machine installations.

Not a public-key infrastructure: an agency that has one uses its own certificate. Certificates name hosts only.
"""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CA_YEARS = 10
_LEAF_DAYS = 397  # the longest life that operating systems accept


@dataclass(frozen=True, slots=True, kw_only=True)
class Pem:
    """A TLS certificate (`cert`) and its unencrypted private key (`key`), both PEM."""

    cert: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Pem(…)"


def make_ca(name: str) -> Pem:
    """Makes a self-signed authority with the common name `name`, valid for ten years. It may sign server certificates
    only."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=365 * _CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(cert, key)


def make_server_cert(ca: Pem, hosts: list[str], key_pem: bytes | None = None) -> Pem:
    """Makes a server certificate, signed by the authority `ca` and valid for 397 days. `hosts` are the host names and
    IP addresses that it is for, at least one. `key_pem`: the private key that it is for, None for a new one. TypeError
    if it or the key of `ca` is not an elliptic-curve key, ValueError if one cannot be read."""
    authority = x509.load_pem_x509_certificate(ca.cert)
    ca_key = _read_key(ca.key)
    key = ec.generate_private_key(ec.SECP256R1()) if key_pem is None else _read_key(key_pem)
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=_LEAF_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative(h) for h in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return _pem(cert, key)


def is_issued_by(cert_pem: bytes, ca_pem: bytes) -> bool:
    """Whether the first certificate in `cert_pem` is signed by the authority whose certificate is `ca_pem`. ValueError
    if one of them cannot be read."""
    cert, authority = x509.load_pem_x509_certificate(cert_pem), x509.load_pem_x509_certificate(ca_pem)
    try:
        cert.verify_directly_issued_by(authority)
    except (InvalidSignature, TypeError, ValueError):  # TypeError for a kind of key that signs no certificates
        return False
    return True


def hosts_of(cert_pem: bytes) -> list[str]:
    """Host names and addresses that a certificate is for."""
    return hosts_in(x509.load_pem_x509_certificate(cert_pem))


def hosts_in(cert: x509.Certificate) -> list[str]:
    """The host names, then the IP addresses, that the certificate is for; empty if it has none in its
    subjectAltName."""
    try:
        san = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*san.get_values_for_type(x509.DNSName), *map(str, san.get_values_for_type(x509.IPAddress))]


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _read_key(key_pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("this is not an elliptic-curve key")
    return key


def _pem(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pem:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pem(cert=cert.public_bytes(serialization.Encoding.PEM), key=private)
