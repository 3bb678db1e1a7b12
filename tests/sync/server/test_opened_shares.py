# SPDX-License-Identifier: EUPL-1.2
"""The operator's side of a recovery sheet: where the agency's keys are, and how a share is opened for its person."""

import asyncio
import base64
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.host.identity import read_escrow
from sync.trust.person import user_drafts
from sync.trust.person.agency import SignInCode
from sync.trust.person.escrow_key import check_escrow
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare, ReturnCode
from tests.sync.server.house import House
from tests.sync.server.wire import Person, keys_of, now


@pytest.fixture
def typed(house: House, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command with the house's data folder: its status, what it printed, what it complained of."""

    def run(command: str, *arguments: str, data: bool = True) -> tuple[int, str, str]:
        there = ("--data", str(house.data)) if data else ()
        capsys.readouterr()
        status = main([command, *there, *arguments])
        output = capsys.readouterr()
        return status, output.out.strip(), output.err

    return run


async def recovery_pair_of(person: Person) -> RecoveryPair:
    """Makes a recovery sheet of the person, sealed to the escrow key that the server sends, and puts it in force."""
    reply, log = await person.wire.ask(m.Escrow(person.wire.rid()), m.EscrowReply), person.book.logs[person.uid]
    escrow_pk = check_escrow(log.agency_pk, reply.cert.body, reply.cert.sig)
    pair, seeds = RecoveryPair(RecoveryCode.fresh(), RecoveryShare.fresh()), {1: person.puk_seed}
    root = SigningKey(person.secrets.root)
    entries = user_drafts.new_recovery_sheet(log, root, pair, escrow_pk, seeds, now())
    await person.wire.ask(m.UserAppend(person.wire.rid(), [m.Signed(*entry) for entry in entries]), m.Ok)
    return pair


async def test_one_command_invites_a_person_back_and_opens_the_share(
    house: House, typed: Callable[..., tuple[int, str, str]]
) -> None:
    anna = await house.person("Handläggare Å")
    uid = anna.uid.hex()
    status, out, _ = await asyncio.to_thread(typed, "invite", "--person", uid)
    assert (status, SignInCode.parse(out).format()) == (0, out)
    pair = await recovery_pair_of(anna)
    status, out, _ = await asyncio.to_thread(typed, "invite", "--person", uid)
    assert (status, ReturnCode.parse(out).share) == (0, pair.share)
    moved = house.data.parent / "utan nät"
    (keys_of(house.data) / "escrow.key").rename(moved)
    status, out, err = await asyncio.to_thread(typed, "invite", "--person", uid)
    assert (status, out, "--escrow-key" in err) == (1, "", True), "no code is made that brings nobody back"
    status, out, _ = await asyncio.to_thread(typed, "invite", "--person", uid, "--escrow-key", str(moved))
    assert (status, ReturnCode.parse(out).share) == (0, pair.share)
    moved.rename(keys_of(house.data) / "escrow.key")


async def test_a_share_is_opened_where_the_server_is_not(
    house: House, tmp_path: Path, typed: Callable[..., tuple[int, str, str]]
) -> None:
    anna = await house.person("Handläggare Å")
    pair, request, key = await recovery_pair_of(anna), tmp_path / "begäran", str(keys_of(house.data) / "escrow.key")
    ask = ("--person", anna.uid.hex(), "--request", str(request))
    status, code, err = await asyncio.to_thread(typed, "invite", *ask)
    assert (status, SignInCode.parse(code).format(), "open-share" in err) == (0, code, True)
    assert request.stat().st_mode & 0o077 == 0
    opening = ("open-share", str(request), "--escrow-key", key, "--name")
    status, second, _ = await asyncio.to_thread(lambda: typed(*opening, "Handläggare Å", data=False))
    assert (status, RecoveryShare.parse(second)) == (0, pair.share)
    assert ReturnCode.parse(f"{code}\n{second}").share == pair.share
    status, out, err = await asyncio.to_thread(typed, "invite", *ask)
    assert (status, out, "exists already" in err) == (1, "", True)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_attack_an_opened_share_is_in_no_file(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Callable[..., tuple[int, str, str]]
) -> None:
    """Neither where it is opened nor at the server: with a found recovery sheet, such a file would open everything."""
    anna = await house.person("Handläggare Å")
    pair, request = await recovery_pair_of(anna), tmp_path / "begäran"
    uid, key = anna.uid.hex(), str(keys_of(house.data) / "escrow.key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert (await asyncio.to_thread(typed, "invite", "--person", uid, "--request", str(request)))[0] == 0
    before = contents(tmp_path)
    opening = ("open-share", str(request), "--escrow-key", key, "--name", "Handläggare Å")
    status, opened, _ = await asyncio.to_thread(lambda: typed(*opening, data=False))
    assert (status, opened) == (0, pair.share.format())
    assert contents(tmp_path).keys() == before.keys()
    status, invited, _ = await asyncio.to_thread(typed, "invite", "--person", uid)
    assert (status, ReturnCode.parse(invited).share) == (0, pair.share)
    share = pair.share.secret
    forms = [share, share.hex().encode(), base64.b64encode(share), pair.share.format().encode()]
    after = contents(tmp_path)
    assert len(after) >= len(before) > 4
    assert [path.name for path, data in after.items() if any(form in data for form in forms)] == []


async def test_attack_a_request_for_anothers_share_is_refused_at_the_agency(
    house: House, tmp_path: Path, typed: Callable[..., tuple[int, str, str]]
) -> None:
    """The server replaces the request of the person at the desk by another person's, or changes the name in it."""
    anna, request = await house.person("Handläggare Å"), tmp_path / "request"
    await recovery_pair_of(anna)
    ask = ("--person", anna.uid.hex(), "--request", str(request))
    assert (await asyncio.to_thread(typed, "invite", *ask))[0] == 0
    key = str(keys_of(house.data) / "escrow.key")
    opening = ("open-share", str(request), "--escrow-key", key, "--name")
    status, out, err = await asyncio.to_thread(lambda: typed(*opening, "Registrator", data=False))
    assert (status, out, "the share of Handläggare Å, not of Registrator" in err) == (1, "", True)
    changed = request.read_bytes().replace("Handläggare Å".encode(), "Handläggare Ä".encode())
    request.write_bytes(changed)
    status, out, err = await asyncio.to_thread(lambda: typed(*opening, "Handläggare Ä", data=False))
    assert (status, out, "record" in err) == (1, "", True)
    missing = ("open-share", str(request), "--escrow-key", str(tmp_path / "none"), "--name", "Handläggare Å")
    status, _, err = await asyncio.to_thread(lambda: typed(*missing, data=False))
    assert (status, "--escrow-key" in err) == (1, True)
    with pytest.MonkeyPatch.context() as small:
        small.setattr("sync.server.operator.opened_shares.MAX_REQUEST_BYTES", 10)
        status, _, err = await asyncio.to_thread(lambda: typed(*opening, "Handläggare Å", data=False))
        assert (status, "too large" in err) == (1, True)


def test_attack_the_agencys_keys_are_not_put_into_the_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "server"
    (tmp_path / "link").symlink_to(data)
    for keys in (data, data / "keys", data / ".." / "server" / "keys", tmp_path / "link" / "keys"):
        assert main(["init", "--data", str(data), "--keys", str(keys)]) == 1
        assert "is in the data folder" in capsys.readouterr().err
        assert list(data.iterdir()) == []
    safe = tmp_path / "safe"
    assert main(["init", "--data", str(data), "--keys", str(safe)]) == 0
    assert {path.name for path in safe.iterdir()} == {"agency.key", "escrow.key"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in safe.iterdir())
    secrets = [line for path in safe.iterdir() for line in path.read_bytes().splitlines()[1:2]]
    assert not any(secret in path.read_bytes() for secret in secrets for path in data.iterdir() if path.is_file())


def test_init_asks_where_the_agencys_keys_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, safe = ["--data", str(tmp_path / "server")], tmp_path / "nycklar å"
    assert main(["init", *data]) == 1
    assert "--keys" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)

    def ended(asked: str) -> str:
        raise EOFError

    for answer in (lambda asked: " ", ended):  # an empty answer would be the current folder
        monkeypatch.setattr("builtins.input", answer)
        assert main(["init", *data]) == 1
        assert "--keys" in capsys.readouterr().err
        assert not (tmp_path / "server" / "agency.pub").exists()
    monkeypatch.setattr("builtins.input", lambda asked: f" {safe} ")
    assert main(["init", *data]) == 0
    assert (safe / "escrow.key").exists()


def test_an_escrow_key_is_read_as_it_was_written_and_no_other_file_is_one(tmp_path: Path) -> None:
    data, safe = tmp_path / "server", tmp_path / "safe"
    assert main(["init", "--data", str(data), "--keys", str(safe)]) == 0
    escrow = read_escrow(safe / "escrow.key")
    assert isinstance(escrow.key, KemKey)
    assert escrow.agency_pk.hex() in (data / "agency.pub").read_text()
    for text in ("kansli/1\naabb\n", f"kansli/1\n{'aa' * 31}\n{'bb' * 32}\n", "annat"):
        (safe / "other.key").write_text(text)
        (safe / "other.key").chmod(0o600)
        with pytest.raises(ConfigError):
            read_escrow(safe / "other.key")
