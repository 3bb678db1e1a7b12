# SPDX-License-Identifier: EUPL-1.2
"""The agency's key as an operator gives it: from standard input, and every file that is not it gets a sentence."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.store.base import Full
from sync.server.store.sql import SqlStore
from sync.trust.person.agency import SignInCode
from tests.sync.server.house import House
from tests.sync.server.test_opened_shares import recovery_pair_of
from tests.sync.server.wire import keys_of, new_data

Typed = Callable[..., tuple[int, str, str]]
INVITE = ("invite", "--name", "Handläggare Å 🙂")


@pytest.fixture
def key(data: Path) -> Path:
    """The file of the agency's key, where root put it."""
    path = data.parent / "usb" / "agency.key"
    path.parent.mkdir()
    return (keys_of(data) / "agency.key").rename(path)


@pytest.fixture
def typed(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Runs a command with the data folder and `stdin`: its status, what it printed, what it complained of."""

    def run(*words: str, stdin: Path | int | None = None) -> tuple[int, str, str]:
        capsys.readouterr()
        if stdin is None:
            status = main([*words, "--data", str(data)])
        else:
            fd = stdin if isinstance(stdin, int) else os.open(stdin, os.O_RDONLY)
            with os.fdopen(fd, encoding="utf-8") as given, monkeypatch.context() as patch:
                patch.setattr(sys, "stdin", given)
                status = main([*words, "--data", str(data)])
        output = capsys.readouterr()
        return status, output.out.strip(), output.err.strip()

    return run


def piped(content: bytes) -> int:
    """The reading end of a pipe with these bytes."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def files(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}


def test_the_agency_key_is_read_from_standard_input_a_file_or_a_pipe(typed: Typed, key: Path) -> None:
    for name, stdin in (("Handläggare Å", key), ("Registrator Ö", piped(key.read_bytes()))):
        status, code, complaint = typed("invite", "--name", name, "--agency-key", "-", stdin=stdin)
        assert (status, complaint) == (0, "")
        SignInCode.parse(code)
    assert typed("renew-certificate", "--agency-key", "-", stdin=key)[0] == 0


async def test_a_device_is_revoked_and_an_account_ended_by_a_key_from_standard_input(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ Only root may be able to open the file: the server's user gets its content on standard input."""

    person, key = await house.person(), keys_of(house.data) / "agency.key"
    on = ["--data", str(house.data), "--person", person.uid.hex(), "--agency-key", "-"]
    for command in (["revoke", *on, "--device", person.author.dev.hex()], ["reset", *on]):
        with key.open(encoding="utf-8") as given, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", given)
            assert await asyncio.to_thread(main, command) == 0
    assert "Revoked" in capsys.readouterr().out


async def test_no_request_is_written_for_a_key_that_is_refused(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person, request = await house.person(), tmp_path / "request"
    await recovery_pair_of(person)
    back = ["invite", "--data", str(house.data), "--person", person.uid.hex(), "--request", str(request)]
    other = keys_of(new_data(tmp_path / "other")) / "agency.key"
    assert await asyncio.to_thread(main, [*back, "--agency-key", str(other)]) == 1
    assert "of another agency" in capsys.readouterr().err
    assert not request.exists()
    assert await asyncio.to_thread(main, [*back, "--agency-key", str(keys_of(house.data) / "agency.key")]) == 0
    assert request.exists()


async def test_a_request_whose_invitation_failed_can_be_made_again(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person, request = await house.person(), tmp_path / "request"
    await recovery_pair_of(person)
    back = ["invite", "--data", str(house.data), "--person", person.uid.hex(), "--request", str(request)]

    async def full(*_: object) -> None:
        raise Full("the disk is full or failing")

    with monkeypatch.context() as disk:
        disk.setattr(SqlStore, "add_invite", full)
        assert await asyncio.to_thread(main, back) == 1
        assert "the disk is full" in capsys.readouterr().err
    assert await asyncio.to_thread(main, back) == 0
    content = request.read_bytes()
    assert await asyncio.to_thread(main, back) == 1
    assert "exists already" in capsys.readouterr().err
    assert request.read_bytes() == content


SENTENCES = {
    "empty": (b"", "is empty"),
    "not a key": (b"Protokoll 2026 \xc3\xa5\n", "cannot be read as a key"),
    "another first line": (b"kansli/9\n" + b"00" * 32, "cannot be read as a key"),
    "no value": (b"kansli/1\n", "cannot be read as a key"),
    "not hex": (b"kansli/1\n" + b"zz" * 32, "cannot be read as a key"),
    "the escrow key": (b"kansli/1\n" + b"00" * 32 + b"\n" + b"11" * 32, "is not an agency key: it must hold one value"),
    "cut off": (b"kansli/1\n" + b"00" * 31, "is not an agency key: it must hold one value"),
    "too large": (b"kansli/1\n" * 1000, "larger than 4096 bytes"),
    "another agency's": (b"kansli/1\n" + b"00" * 32, "of another agency"),
}


@pytest.mark.parametrize("what", SENTENCES)
def test_what_is_not_this_agencys_key_is_refused_with_a_sentence_and_nothing_changes(
    typed: Typed, data: Path, key: Path, what: str
) -> None:
    content, sentence = SENTENCES[what]
    key.write_bytes(content)
    before = files(data)
    for command in (INVITE, ("renew-certificate",)):
        for given in (str(key), "-"):
            status, printed, complaint = typed(*command, "--agency-key", given, stdin=key)
            assert (status, printed) == (1, "")
            assert sentence in complaint
            assert ("standard input" if given == "-" else str(key)) in complaint
    assert {name: before[name] for name in ("server.cert", "tls.pem")}.items() <= files(data).items()
    assert '"invites_open": 0' in typed("status")[1]


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
@pytest.mark.parametrize(("mode", "taken"), [(0o600, True), (0o640, True), (0o644, False), (0o602, False)])
def test_a_key_that_everybody_on_the_machine_may_read_is_refused(
    typed: Typed, key: Path, mode: int, taken: bool
) -> None:
    key.chmod(mode)
    for given in (str(key), "-"):
        status, printed, complaint = typed(*INVITE, "--agency-key", given, stdin=key)
        assert (status == 0, bool(printed)) == (taken, taken)
        assert ("by everybody on this machine" in complaint) is not taken


def test_a_folder_a_missing_file_and_a_forbidden_one_are_named(
    typed: Typed, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is a folder" in typed(*INVITE, "--agency-key", str(key.parent))[2]
    assert "missing: say where" in typed(*INVITE, "--agency-key", str(key.parent / "nej"))[2]
    real = os.open

    def refusing(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if path == key:
            raise PermissionError(13, "Permission denied", str(key))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)  # root, who runs the tests, may read everything
    assert f"--agency-key - < {key}" in typed(*INVITE, "--agency-key", str(key))[2]


def test_nobody_is_asked_to_type_a_key(typed: Typed, key: Path) -> None:
    leader, follower = os.openpty()
    try:
        assert "--agency-key - < agency.key" in typed(*INVITE, "--agency-key", "-", stdin=follower)[2]
    finally:
        os.close(leader)
