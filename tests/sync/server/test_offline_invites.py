# SPDX-License-Identifier: EUPL-1.2
"""Invitations that are made where the agency's key is and imported on the server: all of a file or nothing of it."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.host.identity import read_identity
from sync.server.host.key_file import read_seed
from sync.server.operator import admin, offline_invites
from sync.server.operator.staff_record import staff
from sync.server.rules.handshake import now_ms
from sync.server.store.base import InviteRow
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from tests.sync.server.house import House
from tests.sync.server.wire import Person, keys_of

NAME = "Handläggare Å 🙂"


@pytest.fixture
def agency(data: Path) -> Agency:
    return Agency(read_seed(keys_of(data) / "agency.key"))


@pytest.fixture
def file(data: Path) -> Path:
    """The file of two invitations, not imported yet."""
    path, key = data.parent / "invitations", keys_of(data) / "agency.key"
    records = [staff(name=name, title="", unit="Bygglov").encode() for name in (NAME, "Registrator")]
    offline_invites.invite_offline(path, records, hours=72, key_file=key)
    return path


def invite(key: Path, to: Path, *more: str) -> list[str]:
    return ["invite", "--offline", str(to), "--name", NAME, "--agency-key", str(key), *more]


def still_open(data: Path) -> int:
    return asyncio.run(admin.status(data)).invites_open


async def test_who_was_invited_offline_enrols_and_their_code_was_never_on_the_server(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, file = tmp_path / "agency.key", tmp_path / "invitations"
    key.write_bytes((keys_of(house.data) / "agency.key").read_bytes())
    key.chmod(0o600)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("sync.server.__main__.configured", lambda _: pytest.fail("there is no server here"))
        capsys.readouterr()
        assert await asyncio.to_thread(main, invite(key, file, "--title", "Jurist", "--unit", "Bygglov")) == 0
    printed = capsys.readouterr()
    code = SignInCode.parse(printed.out)
    assert file.stat().st_mode & 0o777 == 0o600
    assert code.seed not in file.read_bytes()
    assert code.key.seed not in file.read_bytes()
    assert read_identity(house.data, now_ms()).fingerprint.hex()[:16] in printed.err
    assert await asyncio.to_thread(main, ["import-invites", str(file), "--data", str(house.data)]) == 0
    assert "Imported: 1." in capsys.readouterr().out
    person = await Person(NAME).enrol(house.server.url, house.data, printed.out.strip())
    house.people.append(person)
    assert [log.bound for log in person.book.logs.values()] == [True]


async def test_a_record_with_initials_keeps_them_when_its_person_is_invited_back(house: House, tmp_path: Path) -> None:
    record = encode_record({"name": NAME, "title": "", "unit": "", "initials": "HÅ"})
    key, file = keys_of(house.data) / "agency.key", tmp_path / "invitations"
    _, (code,) = offline_invites.invite_offline(file, [record], hours=72, key_file=key)
    await offline_invites.import_invites(house.data, file)
    person = await Person(NAME).enrol(house.server.url, house.data, code.format())
    house.people.append(person)
    back = SignInCode.parse(await admin.invite_back(house.data, uid=person.uid))
    async with admin.opened(house.data) as store:
        made = await store.invite(back.key.public)
    assert made is not None
    assert made.record == record


def test_a_file_that_only_root_may_read_comes_by_standard_input(
    data: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.open(encoding="utf-8") as given:
        monkeypatch.setattr(sys, "stdin", given)
        assert main(["import-invites", "-", "--data", str(data)]) == 0
    assert still_open(data) == 2


def test_a_thousand_invitations_are_one_file(data: Path, agency: Agency, tmp_path: Path) -> None:
    records = [encode_record({"name": f"{NAME} {n}", "title": "", "unit": ""}) for n in range(1000)]
    key = keys_of(data) / "agency.key"
    _, codes = offline_invites.invite_offline(tmp_path / "many", records, hours=1, key_file=key)
    rows = asyncio.run(offline_invites.import_invites(data, tmp_path / "many"))
    assert [row.invite_pk for row in rows] == [code.key.public for code in codes]
    assert still_open(data) == 1000


def test_offline_needs_the_key_a_name_and_a_new_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, file = keys_of(data) / "agency.key", tmp_path / "invitations"
    for line, sentence in (
        (["invite", "--offline", str(file), "--name", NAME], "--offline needs --agency-key"),
        (["invite", "--offline", str(file), "--person", "00" * 16, "--agency-key", str(key)], "for somebody new"),
        (["invite", "--offline", str(file), "--name", " ", "--agency-key", str(key)], "a name is needed"),
        (invite(keys_of(data) / "escrow.key", file), "is not an agency key"),
        (invite(key, data / "agency.pub"), "exists already"),
    ):
        assert main(line) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert sentence in printed.err
        assert not file.exists()


def test_a_disk_that_is_full_leaves_no_file_and_prints_no_code(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    capsys.readouterr()
    monkeypatch.setattr(os, "fsync", full)
    assert main(invite(keys_of(data) / "agency.key", tmp_path / "invitations")) == 1
    printed = capsys.readouterr()
    assert (printed.out, "No space left" in printed.err) == ("", True)
    assert not (tmp_path / "invitations").exists()


# -- what is not taken in


def changed(lines: list[bytes], number: int, **fields: object) -> list[bytes]:
    """The lines, one of them (from 1) with other fields."""
    value = json.loads(lines[number - 1]) | fields
    return [*lines[: number - 1], json.dumps(value).encode() + b"\n", *lines[number:]]


HOSTILE: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "empty": (lambda _: [], "is empty"),
    "no file of ours": (lambda _: [b"name;title;unit\n"], "line 1: this is no file"),
    "not UTF-8": (lambda _: [b"\xff\xfe\n"], "line 1: this is no file"),
    "deep": (lambda _: [b"[" * 16_000], "line 1: this is no file"),
    "endless": (lambda lines: [b"x" * 20_000, *lines], "line 1: longer than"),
    "a later version": (lambda lines: changed(lines, 1, **{"kansli-invitations": 2}), "version 2"),
    "another agency": (lambda lines: changed(lines, 1, agency="AAAA"), "of another agency"),
    "none": (lambda lines: changed(lines, 1, count=0)[:1], "line 1: 0 invitations"),
    "too many": (lambda lines: changed(lines, 1, count=10**9), "line 1: 1000000000 invitations"),
    "one line less": (lambda lines: lines[:-1], "cut off: 1 of 2"),
    "cut in a line": (lambda lines: [*lines[:-1], lines[-1][:-20]], "line 3: cannot be read"),
    "one line more": (lambda lines: [*lines, lines[-1]], "line 4: the first line says that 2"),
    "the same twice": (lambda lines: [*lines[:-1], lines[-2]], "line 3: the same invitation as in line 2"),
    "another signature": (lambda lines: changed(lines, 3, sig="A" * 86 + "=="), "line 3: the agency did not sign"),
    "another certificate": (lambda lines: changed(lines, 2, cert="AAAA"), "line 2: the agency did not sign"),
    "another record": (lambda lines: changed(lines, 2, record="AAAA"), "line 2: the staff record is not the one"),
    "another salt": (lambda lines: changed(lines, 2, salt="AAAA"), "line 2: the staff record is not the one"),
    "a field more": (lambda lines: changed(lines, 2, uid="AAAA"), "line 2: cannot be read"),
    "a blank line": (lambda lines: [lines[0], b"\n", *lines[1:]], "line 2: cannot be read"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_in_which_anything_is_wrong_changes_nothing_and_the_line_is_named(
    data: Path, file: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    change, sentence = HOSTILE[what]
    with file.open("rb") as f:
        lines = f.readlines()
    file.write_bytes(b"".join(change(lines)))
    assert main(["import-invites", str(file), "--data", str(data)]) == 1
    complaint = capsys.readouterr().err
    assert str(file) in complaint
    assert sentence in complaint
    assert still_open(data) == 0


def test_a_file_is_taken_in_once(data: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-invites", str(file), "--data", str(data)]) == 0
    assert main(["import-invites", str(file), "--data", str(data)]) == 1
    assert "line 2: this invitation is here already" in capsys.readouterr().err
    assert still_open(data) == 2


def signed(agency: Agency, not_after: int, record: bytes) -> InviteRow:
    """A certificate with any content, signed by the agency."""
    salt, invite_pk = bytes(16), SignInCode.fresh(agency.pk).key.public
    body, sig = agency.certify_invite(invite_pk, record_hash(salt, record), not_after)
    return InviteRow(invite_pk=invite_pk, cert_body=body, cert_sig=sig, salt=salt, record=record, not_after=not_after)


@pytest.mark.parametrize(
    ("ahead_ms", "record", "sentence"),
    [
        (-1, {"name": NAME}, "the code ended"),
        (400 * 86_400_000, {"name": NAME}, "the code would be good for more than a year"),
        (2**63, {"name": NAME}, "the code would be good for more than a year"),
        (1000_000, {"title": "Jurist"}, "the staff record cannot be read"),
    ],
)
def test_attack_what_the_agency_signed_is_still_judged(
    data: Path, agency: Agency, tmp_path: Path, ahead_ms: int, record: dict[str, str], sentence: str
) -> None:
    good = signed(agency, now_ms() + 1_000_000, encode_record({"name": NAME}))
    bad = signed(agency, now_ms() + ahead_ms, encode_record(record))
    offline_invites.write_invitations(tmp_path / "file", agency.pk, [good, bad])
    with pytest.raises(ConfigError, match=f"line 3: {sentence}"):
        asyncio.run(offline_invites.import_invites(data, tmp_path / "file"))
    assert still_open(data) == 0


def test_attack_another_agencys_invitation_under_this_agencys_head_is_refused(
    data: Path, agency: Agency, tmp_path: Path
) -> None:
    row = signed(Agency(b"x" * 32), now_ms() + 1_000_000, encode_record({"name": NAME}))
    offline_invites.write_invitations(tmp_path / "file", agency.pk, [row])
    with pytest.raises(ConfigError, match="line 2: the agency did not sign this"):
        asyncio.run(offline_invites.import_invites(data, tmp_path / "file"))
    assert still_open(data) == 0
