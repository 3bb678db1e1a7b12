# SPDX-License-Identifier: EUPL-1.2
"""The small certificate authority for demonstrations and single machines."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sync.crypto.tls import Pem, hosts_of, is_issued_by, make_ca, make_server_cert


def test_a_server_certificate_is_its_authoritys_and_for_its_hosts() -> None:
    ca = make_ca("Myndigheten")
    cert = make_server_cert(ca, ["kansli.example", "127.0.0.1", "::1"])
    assert hosts_of(cert.cert) == ["kansli.example", "127.0.0.1", "::1"]
    assert hosts_of(ca.cert) == []
    x509.load_pem_x509_certificate(cert.cert).verify_directly_issued_by(x509.load_pem_x509_certificate(ca.cert))
    assert b"PRIVATE" in cert.key
    assert repr(cert) == "Pem(…)"


def test_a_certificate_is_renewed_for_its_key() -> None:
    ca = make_ca("Myndigheten")
    cert = make_server_cert(ca, ["kansli.example"])
    renewed = make_server_cert(ca, ["kansli.example"], cert.key)
    assert (renewed.key, renewed.cert == cert.cert) == (cert.key, False)
    first, second = (x509.load_pem_x509_certificate(pem.cert).public_key() for pem in (cert, renewed))
    assert first == second


def test_a_certificate_is_issued_by_the_authority_that_signed_it_alone() -> None:
    ca, namesake = make_ca("Myndigheten"), make_ca("Myndigheten")
    cert = make_server_cert(ca, ["kansli.example"]).cert
    assert is_issued_by(cert, ca.cert)
    assert not is_issued_by(cert, namesake.cert)
    assert not is_issued_by(cert, make_ca("En annan").cert)
    with pytest.raises(ValueError):
        is_issued_by(b"x", ca.cert)


def test_an_authority_of_another_kind_of_key_signs_nothing() -> None:
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError):
        make_server_cert(Pem(cert=make_ca("Myndigheten").cert, key=other), ["a.example"])
