# SPDX-License-Identifier: EUPL-1.2
"""Signatures: Authenticode on programs, libraries and MSI by osslsigncode, OpenPGP on SHA256SUMS by gpg.

The environment names certificate and key, and no secret is ever in a command line:

KANSLI_SIGN_CERT       PEM of the certificate and those above it; without it nothing is signed
KANSLI_SIGN_KEY        PEM of its key, or a PKCS#11 address (pkcs11:…) together with KANSLI_SIGN_PKCS11
KANSLI_SIGN_PKCS11     the card's or HSM's PKCS#11 module
KANSLI_SIGN_PASSFILE   a file with the key's passphrase or the card's PIN, readable by the builder alone
KANSLI_SIGN_TIMESTAMP  address of an RFC 3161 time-stamping service; without it a signature ends with its certificate
KANSLI_SIGN_GPG_KEY    the OpenPGP key, by its fingerprint; gpg-agent asks for its passphrase
"""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import sums
from places import HOMEPAGE, run

PROGRAM = "osslsigncode"
ENDINGS = (".exe", ".dll", ".pyd", ".msi")
_SECURITY_DIRECTORY = 4
"""Index of the PE header's directory that says where the signature lies (Microsoft's PE format, "Data Directories")."""
_PE32_PLUS = 0x20B


def how() -> str:
    """How files are signed now, for the build's output: "signed (<certificate's file>, time-stamped)" or "unsigned"."""
    if "KANSLI_SIGN_CERT" not in os.environ:
        return "unsigned: KANSLI_SIGN_CERT names no certificate"
    stamped = "time-stamped" if "KANSLI_SIGN_TIMESTAMP" in os.environ else "without time stamp"
    return f"signed ({Path(os.environ['KANSLI_SIGN_CERT']).name}, {stamped})"


def sign(path: Path) -> bool:
    """Puts a signature into an .exe, .dll, .pyd or .msi; False if the environment names no certificate.

    A signature that is there is replaced. SystemExit if the environment is incomplete or the program refuses; the file
    is then as it was.
    """
    certificate = os.environ.get("KANSLI_SIGN_CERT")
    if certificate is None:
        return False
    if "KANSLI_SIGN_KEY" not in os.environ:
        raise SystemExit("packages: KANSLI_SIGN_CERT is set and KANSLI_SIGN_KEY is not")
    if "pin-value=" in os.environ["KANSLI_SIGN_KEY"]:  # everybody on the machine can read a command line
        raise SystemExit("packages: KANSLI_SIGN_KEY has a PIN in it: put that into KANSLI_SIGN_PASSFILE")
    if shutil.which(PROGRAM) is None:
        raise SystemExit(f"packages: signing needs the Debian package {PROGRAM}")
    command: list[str | Path] = [PROGRAM, "sign", "-h", "sha256", "-n", "Kansli", "-i", HOMEPAGE]
    command += ["-certs", certificate, "-key", os.environ["KANSLI_SIGN_KEY"]]
    for option, name in (("-pkcs11module", "PKCS11"), ("-readpass", "PASSFILE"), ("-ts", "TIMESTAMP")):
        value = os.environ.get(f"KANSLI_SIGN_{name}")
        command += [option, value] if value else []
    signed = path.with_name(path.name + ".signed")
    signed.unlink(missing_ok=True)
    try:
        run([*command, "-in", path, "-out", signed], log=f"sign-{path.name}", timeout_s=120)
        shutil.copymode(path, signed)
        signed.replace(path)
    finally:
        signed.unlink(missing_ok=True)
    return True


def sign_folder(folder: Path) -> int:
    """Signs what may run below a folder and has no signature of its maker; how many that were."""
    files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in ENDINGS and not is_signed(p)]
    return sum(sign(path) for path in files)


def is_signed(path: Path) -> bool:
    """Whether a PE file (exe, dll, pyd) carries a signature, be it right or wrong. False for what is no PE file."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:2] != b"MZ" or len(head) < 0x40:
        return False
    (start,) = struct.unpack_from("<I", head, 0x3C)
    if head[start : start + 4] != b"PE\0\0":
        return False
    optional = start + 24
    (magic,) = struct.unpack_from("<H", head, optional)
    directories = optional + (112 if magic == _PE32_PLUS else 96)
    _, size_bytes = struct.unpack_from("<II", head, directories + 8 * _SECURITY_DIRECTORY)
    return bool(size_bytes)


def sign_sums(path: Path) -> Path | None:
    """`<path>.asc`, a detached OpenPGP signature; None (and an old one removed) if the environment names no key."""
    signature = path.with_name(sums.SIGNATURE)
    signature.unlink(missing_ok=True)
    key = os.environ.get("KANSLI_SIGN_GPG_KEY")
    if key is None:
        return None
    command = ["gpg", "--batch", "--yes", "--local-user", key, "--armor", "--detach-sign"]
    done = subprocess.run([*command, "--output", signature, path], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stderr}\npackages: gpg does not sign {path.name}")
    return signature
