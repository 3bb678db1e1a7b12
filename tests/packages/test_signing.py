# SPDX-License-Identifier: EUPL-1.2
"""Signing with a certificate made here: what is signed verifies, what was changed afterwards does not."""

import datetime
import os
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msi
import pytest
import signing
import sums
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSPHRASE = "a passphrase of the test"

needs_osslsigncode = pytest.mark.skipif(shutil.which("osslsigncode") is None, reason="needs osslsigncode")
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


def pe_file(path: Path) -> Path:
    """The smallest program for Windows that is one by its form: headers and a section of 512 bytes."""
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIIIQ", 0x20B, 14, 0, 512, 0, 0, 0x1000, 0x1000, 0x140000000)
    optional += struct.pack("<IIHHHHHHIIIIHH", 0x1000, 512, 6, 0, 0, 0, 6, 0, 0, 0x2000, 512, 0, 3, 0)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + bytes(128)
    section = b".text\0\0\0" + struct.pack("<IIIIIIHHI", 512, 0x1000, 512, 512, 0, 0, 0, 0, 0x60000020)
    path.write_bytes((dos + coff + optional + section).ljust(512, b"\0") + b"\xc3".ljust(512, b"\xcc"))
    return path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `cert.pem`, self-signed for code, `key.pem` under a passphrase, and `pass`, which holds it."""
    folder = tmp_path_factory.mktemp("identity")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test of Kansli")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE.encode()),
    )
    (folder / "key.pem").write_bytes(secret)
    (folder / "pass").write_text(PASSPHRASE, encoding="utf-8")
    return folder


@pytest.fixture
def named(identity: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The identity, named by the environment."""
    monkeypatch.setattr("places.WORK", tmp_path / "work")
    monkeypatch.setenv("KANSLI_SIGN_CERT", str(identity / "cert.pem"))
    monkeypatch.setenv("KANSLI_SIGN_KEY", str(identity / "key.pem"))
    monkeypatch.setenv("KANSLI_SIGN_PASSFILE", str(identity / "pass"))
    return identity


def verifies(path: Path, identity: Path) -> bool:
    command = ["osslsigncode", "verify", "-CAfile", str(identity / "cert.pem"), "-in", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@needs_osslsigncode
def test_what_is_signed_verifies_and_keeps_its_mode(named: Path, tmp_path: Path) -> None:
    program = pe_file(tmp_path / "kansli.exe")
    program.chmod(0o755)
    assert not signing.is_signed(program)
    assert not verifies(program, named)
    assert signing.sign(program)
    assert signing.is_signed(program)
    assert verifies(program, named)
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kansli.exe", "work"], "nothing is left behind"
    assert "signed (cert.pem" in signing.how()


@needs_osslsigncode
def test_a_changed_byte_is_found(named: Path, tmp_path: Path) -> None:
    program = pe_file(tmp_path / "kansli.exe")
    signing.sign(program)
    content = bytearray(program.read_bytes())
    content[600] ^= 1
    program.write_bytes(content)
    assert not verifies(program, named)


@needs_osslsigncode
def test_in_a_folder_only_what_its_maker_has_not_signed_gets_our_signature(named: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "lib").mkdir(parents=True)
    theirs = pe_file(bundle / "lib/python3.dll")
    signing.sign(theirs)
    before = theirs.read_bytes()
    ours = [pe_file(bundle / "kansli.exe"), pe_file(bundle / "lib/_speedups.pyd")]
    (bundle / "LICENSE").write_text("text", encoding="utf-8")
    assert signing.sign_folder(bundle) == 2
    assert theirs.read_bytes() == before
    assert all(verifies(path, named) for path in ours)


def test_without_a_certificate_nothing_is_signed_and_the_output_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KANSLI_SIGN_CERT", raising=False)
    program = pe_file(tmp_path / "kansli.exe")
    before = program.read_bytes()
    assert not signing.sign(program)
    assert program.read_bytes() == before
    assert signing.how().startswith("unsigned")


@needs_osslsigncode
def test_a_wrong_passphrase_ends_the_build_and_leaves_the_file(named: Path, tmp_path: Path) -> None:
    program = pe_file(tmp_path / "kansli.exe")
    before = program.read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("another", encoding="utf-8")
    os.environ["KANSLI_SIGN_PASSFILE"] = str(wrong)  # monkeypatch of `named` takes it back
    with pytest.raises(SystemExit, match="osslsigncode failed"):
        signing.sign(program)
    assert program.read_bytes() == before


@needs_osslsigncode
def test_a_certificate_without_its_key_ends_the_build(named: Path, tmp_path: Path) -> None:
    del os.environ["KANSLI_SIGN_KEY"]  # monkeypatch of `named` takes it back
    with pytest.raises(SystemExit, match="KANSLI_SIGN_KEY"):
        signing.sign(pe_file(tmp_path / "kansli.exe"))


def test_a_pin_in_the_keys_address_ends_the_build(named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANSLI_SIGN_KEY", "pkcs11:token=kansli;object=release?pin-value=1234")
    monkeypatch.setattr("signing.run", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(SystemExit, match="PASSFILE") as ended:
        signing.sign(pe_file(tmp_path / "kansli.exe"))
    assert "1234" not in str(ended.value)


@needs_osslsigncode
def test_no_secret_is_in_the_command_line(named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = subprocess.run

    def watched(command: list[str], **rest: object) -> object:
        seen.extend(command)
        return real(command, **rest)  # type: ignore[call-overload]  # what places.run passes on

    monkeypatch.setattr(subprocess, "run", watched)
    signing.sign(pe_file(tmp_path / "kansli.exe"))
    assert "osslsigncode" in seen
    assert not [word for word in seen if PASSPHRASE in word]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The fingerprint of an OpenPGP key without passphrase in a keyring of its own."""
    home = tempfile.mkdtemp(prefix="kansli-gpg-")  # an agent's socket needs a short path, tmp_path is a long one
    monkeypatch.setenv("GNUPGHOME", home)
    command = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "test", "ed25519", "sign", "1d"]
    subprocess.run(command, capture_output=True, check=True)
    listed = subprocess.run(["gpg", "--with-colons", "-K"], capture_output=True, text=True, check=True).stdout
    yield next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
    subprocess.run(["gpgconf", "--kill", "all"], capture_output=True, check=True)
    shutil.rmtree(home)


@needs_gpg
def test_the_checksums_signature_holds_until_a_package_is_exchanged(
    keyring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "OUT", tmp_path)
    monkeypatch.setenv("KANSLI_SIGN_GPG_KEY", keyring)
    (tmp_path / "kansli_0.1.0_amd64.deb").write_bytes(b"a package")
    listed = sums.write()
    signature = signing.sign_sums(listed)
    assert signature == tmp_path / "SHA256SUMS.asc"
    assert sums.write().read_text(encoding="utf-8").count("\n") == 1, "the signature is not among what it signs"

    def right() -> bool:
        return subprocess.run(["gpg", "--verify", signature, listed], capture_output=True, check=False).returncode == 0

    assert right()
    (tmp_path / "kansli_0.1.0_amd64.deb").write_bytes(b"another package")
    sums.write()
    assert not right()
    monkeypatch.delenv("KANSLI_SIGN_GPG_KEY")
    assert signing.sign_sums(listed) is None
    assert not signature.exists(), "an old signature would be one of other sums"


@pytest.mark.packages
@pytest.mark.skipif(bool(msi.missing()), reason="needs wixl and msitools")
@needs_osslsigncode
def test_an_msi_is_signed_as_it_is_built_and_a_changed_byte_is_found(
    named: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(msi, "WORK", tmp_path / "work")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    for name in ("kansli.exe", "kansli.ico", "python3.dll", "a.dll"):
        (bundle / name).write_bytes(Random(name).randbytes(400_000))  # below a megabyte it is none for msi.build
    path = msi.build(bundle, bundle / "kansli.ico", out=tmp_path / "out")
    assert verifies(path, named)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not verifies(path, named)
