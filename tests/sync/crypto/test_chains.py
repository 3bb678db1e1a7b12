# SPDX-License-Identifier: EUPL-1.2
"""What is read from a file of TLS certificates, and which certificate is missing in it."""

import pytest
from cryptography import x509

from sync.crypto.chains import Gap, missing_issuer, read_facts
from tests.certs import make_cert

ROOT = make_cert("Root", authority=True)
MIDDLE = make_cert("Intermediate", by=ROOT, authority=True)
LEAF = make_cert("Leaf", by=MIDDLE, hosts=("kansli.example", "::1"), begins_days=-2, ends_days=3)


def test_every_certificate_of_a_file_is_read_in_order() -> None:
    leaf, middle = read_facts(LEAF.cert + MIDDLE.cert)
    assert (leaf.subject, leaf.issuer, leaf.hosts) == ("CN=Leaf", "CN=Intermediate", ("kansli.example", "::1"))
    assert (middle.subject, middle.issuer, middle.hosts) == ("CN=Intermediate", "CN=Root", ())
    cert = x509.load_pem_x509_certificate(LEAF.cert)
    assert leaf.begins_ms == cert.not_valid_before_utc.timestamp() * 1000
    assert leaf.ends_ms == cert.not_valid_after_utc.timestamp() * 1000


@pytest.mark.parametrize("bad", [b"", b"-----BEGIN CERTIFICATE-----", LEAF.key])
def test_what_is_no_certificate_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError):
        read_facts(bad)
    with pytest.raises(ValueError):
        missing_issuer(bad, [])


@pytest.mark.parametrize(
    ("pem", "authorities"),
    [
        (LEAF.cert + MIDDLE.cert, [ROOT.cert]),
        (LEAF.cert + MIDDLE.cert + ROOT.cert, []),
        (LEAF.cert + ROOT.cert + MIDDLE.cert, []),
        (LEAF.cert, [b"no certificate", ROOT.cert.replace(b"MII", b"!!!") + MIDDLE.cert]),
        (ROOT.cert, []),
    ],
)
def test_a_chain_that_reaches_an_authority_lacks_nothing(pem: bytes, authorities: list[bytes]) -> None:
    assert missing_issuer(pem, authorities) is None


def test_the_missing_issuer_is_named() -> None:
    assert missing_issuer(LEAF.cert, [ROOT.cert]) == Gap("CN=Leaf", "CN=Intermediate", stray=False)
    assert missing_issuer(LEAF.cert + MIDDLE.cert, []) == Gap("CN=Intermediate", "CN=Root", stray=False)
    assert missing_issuer(LEAF.cert + ROOT.cert, [ROOT.cert]) == Gap("CN=Leaf", "CN=Intermediate", stray=True)


def test_an_authority_of_the_same_name_that_did_not_sign_is_not_the_issuer() -> None:
    other = make_cert("Intermediate", by=ROOT, authority=True)
    assert missing_issuer(LEAF.cert + other.cert, [ROOT.cert]) == Gap("CN=Leaf", "CN=Intermediate", stray=True)
