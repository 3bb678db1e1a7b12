# SPDX-License-Identifier: EUPL-1.2
"""Certificates that clients refuse, or soon will: what `serve --check`, a start, a reload and a running server do."""

import asyncio
import json
import signal
import sqlite3
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from sync.crypto.tls import Pem
from sync.server.__main__ import main
from sync.server.config import Config, ConfigError
from sync.server.process.running import start_server
from sync.server.process.serving import check
from sync.server.rules import certificates
from sync.server.store.database import TooNew, TooOld
from tests.certs import make_cert
from tests.patience import PATIENCE_S
from tests.sync.server.process import serve
from tests.sync.server.test_running import logged, shown
from tests.sync.server.wire import config
from tests.world import until


def put(data: Path, leaf: Pem, *more: Pem) -> bytes:
    """Puts a certificate in place, with others in its file. Returns it in the form that a new connection shows."""
    (data / "tls.pem").write_bytes(leaf.cert + b"".join(pem.cert for pem in more))
    (data / "tls.key").write_bytes(leaf.key)
    return ssl.PEM_cert_to_DER_cert(leaf.cert.decode())


def authority(data: Path) -> Pem:
    return Pem(cert=(data / "ca.pem").read_bytes(), key=(data / "ca.key").read_bytes())


def day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%d")


# -- serve --check


def test_a_certificate_that_has_ended_is_not_sound_and_named_with_its_date(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data, make_cert("Leaf", by=authority(data), begins_days=-20, ends_days=-3))
    assert main(["serve", "--check", "--data", str(data)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{data / 'tls.pem'} ended on {day(-3)}, clients refuse it" in printed.err


def test_a_certificate_that_has_not_begun_is_not_sound(data: Path) -> None:
    put(data, make_cert("Leaf", by=authority(data), begins_days=2, ends_days=9))
    with pytest.raises(ConfigError, match=f"begins on {day(2)}"):
        check(config(data))


def test_a_certificate_that_ends_soon_is_sound_with_a_warning(data: Path) -> None:
    put(data, make_cert("Leaf", by=authority(data), ends_days=12.5))
    sound, warning = check(config(data)).splitlines()
    assert "sound" in sound
    assert f"ends on {day(12.5)}, in 12 days" in warning
    put(data, make_cert("Leaf", by=authority(data), ends_days=30.5))
    assert len(check(config(data)).splitlines()) == 1


@pytest.mark.parametrize(
    ("hosts", "dialled", "covered"),
    [
        (("kansli.example",), "kansli.example:443", True),
        (("Kansli.Example",), "kansli.example:443", True),
        (("*.example",), "kansli.example:443", True),
        (("*.example",), "a.kansli.example:443", False),
        (("*.example",), "example:443", False),
        (("other.example",), "kansli.example:443", False),
        (("192.0.2.7", "2001:db8::1"), "[2001:db8:0::1]:8443", True),
        (("192.0.2.7",), "192.0.2.8:443", False),
    ],
)
def test_every_address_that_clients_dial_must_be_in_the_certificate(
    data: Path, hosts: tuple[str, ...], dialled: str, covered: bool
) -> None:
    put(data, make_cert("Leaf", by=authority(data), hosts=hosts))
    asked = replace(config(data), addresses=(dialled,))
    if covered:
        assert "sound" in check(asked)
        return
    with pytest.raises(ConfigError) as refused:
        check(asked)
    assert f"is not for {dialled}, which `addresses` names; it is for {', '.join(hosts)}" in str(refused.value)


def test_an_intermediate_certificate_that_is_missing_is_named(data: Path) -> None:
    middle = make_cert("Mellan-CA", by=authority(data), authority=True)
    leaf = make_cert("Leaf", by=middle)
    put(data, leaf, middle)
    assert check(config(data)).count("\n") == 0
    put(data, leaf)  # it could be an authority that clients have: the server cannot know
    assert "CN=Leaf is signed by CN=Mellan-CA, which is not in the file" in check(config(data))
    put(data, leaf, make_cert("Annan-CA", by=authority(data), authority=True))
    with pytest.raises(ConfigError, match="signed by CN=Mellan-CA, which is none of the other certificates"):
        check(config(data))


def test_an_intermediate_certificate_that_ended_is_a_warning(data: Path) -> None:
    middle = make_cert("Mellan-CA", by=authority(data), authority=True, begins_days=-9, ends_days=-2)
    put(data, make_cert("Leaf", by=middle), middle)
    assert f"its authority CN=Mellan-CA ended on {day(-2)}" in check(config(data))


def test_a_certificate_and_a_key_that_do_not_belong_together_are_named(data: Path) -> None:
    (data / "tls.key").write_bytes(make_cert("Other").key)
    with pytest.raises(ConfigError, match=r"tls\.pem with .*tls\.key cannot be used: the key is not that of"):
        check(config(data))
    (data / "tls.key").unlink()
    with pytest.raises(ConfigError, match=r"tls\.key cannot be read: No such file"):
        check(config(data))
    (data / "tls.pem").unlink()
    with pytest.raises(ConfigError, match=r"tls\.pem cannot be read: No such file"):
        check(config(data))


def test_a_servers_own_certificate_that_ended_is_named_with_its_date(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = datetime.now(UTC) + timedelta(days=3 * 365 + 9)
    for module in ("process.serving", "rules.certificates"):
        monkeypatch.setattr(f"sync.server.{module}.now_ms", lambda: int(later.timestamp() * 1000))
    with pytest.raises(ConfigError, match=rf"server\.cert ended on {day(3 * 365)}: .*renew-certificate"):
        check(config(data))


@pytest.mark.parametrize(("version", "refusal"), [("99", TooNew), ("3", TooOld)])
def test_a_database_of_another_version_is_not_sound(data: Path, version: str, refusal: type[Exception]) -> None:
    with closing(sqlite3.connect(data / "server.sqlite3")) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (version,))
    with pytest.raises(refusal):
        check(config(data))


def test_a_key_of_the_file_that_is_not_known_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'data = "{data}"\ncertificate = "/etc/kansli/tls.pem"')
    assert main(["serve", "--check", "--config", str(file)]) == 1
    assert f"{file}: certificate is no setting" in capsys.readouterr().err


# -- a running server


async def test_a_start_with_a_certificate_that_ended_is_loud(data: Path) -> None:
    put(data, make_cert("Leaf", by=authority(data), begins_days=-20, ends_days=-3))
    served = await serve(data, "--metrics", "127.0.0.1:0")
    await logged(served, f"ERROR {data / 'tls.pem'} ended on {day(-3)}")
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        answer = await http.get(f"{served.ready['metrics']}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"ok": False, "code": "certificate"})
        figures = (await http.get(f"{served.ready['metrics']}/metrics")).text
    assert 'kansli_certificate_days{which="tls"} -3.0' in figures
    new = put(data, make_cert("Leaf", by=authority(data)))
    served.process.send_signal(signal.SIGHUP)
    await until(lambda: httpx.get(f"{served.ready['metrics']}/readyz", timeout=PATIENCE_S).status_code == 200)
    assert await shown(served.ready["port"]) == new
    assert await served.stop() == 0


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (partial(make_cert, begins_days=-9, ends_days=-2), "ended on"),
        (partial(make_cert, begins_days=2, ends_days=9), "begins on"),
        (partial(make_cert, hosts=("other.example",)), "is not for localhost:443"),
    ],
)
async def test_a_reload_with_a_certificate_that_clients_refuse_keeps_the_old_one_and_logs_it(
    data: Path, bad: Callable[..., Pem], sentence: str
) -> None:
    served = await serve(data, "--address", "localhost:443", log="INFO")
    old = await shown(served.ready["port"])
    put(data, bad("Leaf", by=authority(data)))
    served.process.send_signal(signal.SIGHUP)
    await logged(served, "the certificate was not read again")
    assert sentence in served.log()
    assert await shown(served.ready["port"]) == old
    new = put(data, make_cert("Leaf", by=authority(data), ends_days=20))
    served.process.send_signal(signal.SIGHUP)
    await logged(served, "WARNING")
    await logged(served, "certificate read again\n")
    assert await shown(served.ready["port"]) == new
    assert await served.stop() == 0


async def test_a_fault_that_the_certificate_in_use_has_too_keeps_no_renewed_one_out(data: Path) -> None:
    """Otherwise one name too many in `addresses` would keep out every renewed certificate until the old one ends."""
    asked = replace(config(data), addresses=("localhost:443", "old.example:443"))
    async with start_server(asked) as server:
        new = put(data, make_cert("Leaf", by=authority(data)))
        server.reload()
        assert await shown(server.port) == new


async def test_a_warning_of_the_end_and_of_an_unread_new_file_is_logged_once_a_day(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(data, make_cert("Leaf", by=authority(data), ends_days=12.5))
    monkeypatch.setattr(certificates, "_AGAIN_S", 0.01)
    async with start_server(config(data)):
        await until(lambda: caplog.text.count("in 12 days") >= 2)
        assert "reload the server" not in caplog.text.replace("renew it and reload the server", "")
        put(data, make_cert("Leaf", by=authority(data)))
        await until(lambda: "tls.pem was changed since it was read: reload the server" in caplog.text)
    assert certificates.DAY_MS / 1000 == 86_400


def test_a_day_is_between_two_warnings() -> None:
    assert certificates._AGAIN_S == 86_400


# -- behind a proxy


async def test_behind_a_proxy_its_certificate_is_watched_where_cert_names_it(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = tmp_path / "fullchain.pem"
    addresses = ("kansli.example:443",)
    plain = Config(data=data, port=0, metrics="127.0.0.1:0", behind_proxy=True, addresses=addresses)
    watched = replace(plain, cert=theirs)
    theirs.write_bytes(make_cert("Leaf", by=authority(data), hosts=("kansli.example",), ends_days=5.5).cert)
    assert "ends on" in check(watched)
    assert await tls_days(watched) == pytest.approx(5.5, abs=0.1)
    assert "in 5 days" in caplog.text
    assert await tls_days(plain) is None
    theirs.write_bytes(make_cert("Leaf", by=authority(data), hosts=("other.example",)).cert)
    assert "Warning" in check(watched)
    assert "is not for kansli.example:443" in check(watched)
    theirs.unlink()  # the server does not need it
    assert "nothing of it is watched" in check(watched)
    assert await tls_days(watched) is None


async def tls_days(asked: Config) -> float | None:
    """The figure of the TLS certificate; None if there is none."""
    async with start_server(asked) as server, httpx.AsyncClient(timeout=PATIENCE_S) as http:
        lines = (await http.get(f"{server.monitor}/metrics")).text.splitlines()
        assert (await http.get(f"{server.monitor}/readyz")).status_code == 200
    start = 'kansli_certificate_days{which="tls"} '
    found = [float(line.removeprefix(start)) for line in lines if line.startswith(start)]
    return found[0] if found else None


# -- status


async def test_status_has_the_days_of_certificates_and_the_version_of_the_database(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data, make_cert("Leaf", by=authority(data), begins_days=-20, ends_days=-3))
    assert await asyncio.to_thread(main, ["status", "--data", str(data)]) == 0
    logged = json.loads(capsys.readouterr().out)
    assert logged["tls_days"] == pytest.approx(-3, abs=0.1)
    assert logged["server_cert_days"] == pytest.approx(3 * 365, abs=1)
    assert logged["schema"] == 11
    (data / "tls.pem").unlink()
    assert await asyncio.to_thread(main, ["status", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["tls_days"] is None
