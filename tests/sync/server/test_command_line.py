# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server`: what it prints, what it returns, and what it refuses."""

import asyncio
import json
import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509

from sync.crypto.tls import hosts_of, make_ca, make_server_cert
from sync.errors import Reject
from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.server.host.identity import read_identity
from sync.server.operator import admin
from sync.trust.person.agency import SignInCode
from tests.sync.server.house import House
from tests.sync.server.wire import wired


def test_an_agency_is_founded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, keys = tmp_path / "server", tmp_path / "keys"
    assert main(["init", "--data", str(data), "--keys", str(keys), "--demo-ca", "localhost"]) == 0
    key = (keys / "agency.key").read_text()
    assert main(["init", "--data", str(data), "--keys", str(keys)]) == 1
    assert (keys / "agency.key").read_text() == key
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["write_agency", "write_server", "_write_leaf"])
def test_an_agency_that_a_full_disk_cut_off_is_founded_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    data = tmp_path / "server"
    data.mkdir()
    (data / "lost+found").mkdir()
    found = ["init", "--data", str(data), "--keys", str(tmp_path / "keys"), "--demo-ca", "localhost"]
    real = getattr(admin, at)

    def full(*given: object) -> None:
        real(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(admin, at, full)
    assert main(found) == 1
    assert "No space left" in capsys.readouterr().err
    assert [p.name for p in data.iterdir()] == ["lost+found"]
    assert list((tmp_path / "keys").iterdir()) == []
    monkeypatch.undo()
    assert main(found) == 0
    assert main(found) == 1
    assert read_identity(data, int(time.time() * 1000))


def test_an_agency_whose_key_was_moved_away_is_not_founded_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, keys, moved = tmp_path / "server", tmp_path / "keys", tmp_path / "safe.key"
    assert main(["init", "--data", str(data), "--keys", str(keys)]) == 0
    (keys / "agency.key").rename(moved)
    assert main(["invite", "--data", str(data), "--name", "Registrator"]) == 1
    assert "--agency-key" in capsys.readouterr().err
    assert main(["init", "--data", str(data), "--keys", str(keys)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert not (keys / "agency.key").exists()
    assert main(["invite", "--data", str(data), "--name", "Registrator", "--agency-key", str(moved)]) == 0


def test_the_certificates_are_renewed_and_the_keys_that_clients_know_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, moved, now = tmp_path / "server", tmp_path / "safe.key", int(time.time() * 1000)
    keys = tmp_path / "keys"
    assert main(["init", "--data", str(data), "--keys", str(keys), "--demo-ca", "kansli.example"]) == 0
    (keys / "agency.key").rename(moved)
    before = {f.name: f.read_bytes() for f in data.iterdir()}
    after_expiry = now + 3 * 365 * 86_400_000 + 600_000
    with pytest.raises(Reject):
        read_identity(data, after_expiry)
    assert main(["renew-certificate", "--data", str(data)]) == 1
    assert "--agency-key" in capsys.readouterr().err
    assert {f.name: f.read_bytes() for f in data.iterdir()} == before
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr("sync.server.operator.admin.now_ms", lambda: after_expiry)
        assert main(["renew-certificate", "--data", str(data), "--agency-key", str(moved)]) == 0
    assert "tls.pem" in capsys.readouterr().out
    renewed = {f.name: f.read_bytes() for f in data.iterdir()}
    assert {name for name in before if renewed[name] != before[name]} == {
        "server.cert",
        "tls.pem",  # its key stays: one file is replaced in one step
        "server.sqlite3",  # the admin log
    }
    assert read_identity(data, after_expiry).key.seed.hex().encode() in before["server.key"]
    assert hosts_of(renewed["tls.pem"]) == hosts_of(before["tls.pem"])
    context = ssl.create_default_context(cafile=str(data / "ca.pem"))
    assert context.cert_store_stats()["x509_ca"] == 1
    ca, leaf = (x509.load_pem_x509_certificate(renewed[name]) for name in ("ca.pem", "tls.pem"))
    leaf.verify_directly_issued_by(ca)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(data / "tls.pem", data / "tls.key")
    assert (data / "tls.key").stat().st_mode & 0o777 == 0o600


def test_an_agencys_own_tls_files_are_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "server"
    assert main(["init", "--data", str(data), "--keys", str(tmp_path / "keys")]) == 0
    (data / "tls.pem").write_bytes(b"its own")
    assert main(["renew-certificate", "--data", str(data)]) == 0
    assert (data / "tls.pem").read_bytes() == b"its own"
    assert not (data / "tls.key").exists()


def test_an_agencys_own_tls_files_are_left_alone_beside_the_demos_authority(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An agency that began with `--demo-ca` and put its own certificate in the place of the demo's."""
    own = make_server_cert(make_ca("Myndighetens egen CA"), ["kansli.example"])
    (data / "tls.pem").write_bytes(own.cert)
    (data / "tls.key").write_bytes(own.key)
    before = (data / "server.cert").read_bytes()
    assert main(["renew-certificate", "--data", str(data)]) == 0
    assert "tls.pem" not in capsys.readouterr().out
    assert ((data / "tls.pem").read_bytes(), (data / "tls.key").read_bytes()) == (own.cert, own.key)
    assert (data / "server.cert").read_bytes() != before


def test_a_lost_tls_key_is_made_again(data: Path) -> None:
    (data / "tls.key").unlink()
    assert main(["renew-certificate", "--data", str(data)]) == 0
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(data / "tls.pem", data / "tls.key")
    assert (data / "tls.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("ca.pem", None, "has ca.key without ca.pem: put that back"),
        ("ca.key", b"x", "one of tls.pem, tls.key, ca.pem and ca.key is not what init made"),
        ("tls.pem", b"x", "one of tls.pem, tls.key, ca.pem and ca.key is not what init made"),
    ],
)
def test_a_renewal_that_lacks_a_file_changes_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None, sentence: str
) -> None:
    if content is None:
        (data / name).unlink()
    else:
        (data / name).write_bytes(content)
    before = {f.name: f.read_bytes() for f in data.iterdir()}
    assert main(["renew-certificate", "--data", str(data)]) == 1
    assert sentence in capsys.readouterr().err
    assert {f.name: f.read_bytes() for f in data.iterdir()} == before


def test_an_invitation_prints_a_code_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data, "--keys", str(tmp_path / "keys")]) == 0
    capsys.readouterr()
    assert main(["invite", *data, "--name", "Handläggare Å 🙂", "--title", "Handläggare", "--unit", "Bygglov"]) == 0
    SignInCode.parse(capsys.readouterr().out)
    assert main(["status", *data]) == 0
    assert json.loads(capsys.readouterr().out)["invites_open"] == 1


async def test_somebody_is_invited_back_with_the_record_that_they_have(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = await house.person("Handläggare Å")
    data = ["--data", str(house.data)]
    assert await asyncio.to_thread(main, ["invite", *data, "--person", anna.uid.hex()]) == 0
    code = SignInCode.parse(capsys.readouterr().out)
    reply = await anna.wire.ask(m.Directory(anna.wire.rid(), "", [anna.uid]), m.DirectoryReply)
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        invite_reply = await wire.ask(m.Invite(wire.rid(), code.key.public), m.InviteReply)
    assert invite_reply.record == reply.people[0].record
    assert invite_reply.salt != reply.people[0].salt
    assert await asyncio.to_thread(main, ["invite", *data, "--person", "00" * 16]) == 1


@pytest.mark.parametrize("hours", ["0", "-1", "inf", "nan", "1e300", "9000", "två"])
def test_a_code_that_is_never_good_or_for_ever_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hours: str
) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data, "--keys", str(tmp_path / "keys")]) == 0
    with pytest.raises(SystemExit) as ended:
        main(["invite", *data, "--name", "Registrator", "--hours", hours])
    assert ended.value.code == 2
    assert "--hours" in capsys.readouterr().err


def test_nothing_works_before_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["invite", *data, "--name", "Registrator"]) == 1
    assert main(["status", *data]) == 1
    assert main(["serve", *data, "--insecure-loopback", "--port", "0"]) == 1
    assert "run init first" in capsys.readouterr().err


def test_serving_without_tls_must_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data, "--keys", str(tmp_path / "keys")]) == 0
    assert main(["serve", *data, "--port", "0"]) == 1
    assert "certificate" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data, "--keys", str(tmp_path / "keys")]) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", *data, "--insecure-loopback", "--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
