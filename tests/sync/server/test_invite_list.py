# SPDX-License-Identifier: EUPL-1.2
"""`invite --csv`: codes and letters for a list, whole or not at all, and once for each line despite interruptions."""

import ast
import asyncio
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zxingcpp

from sync.server.__main__ import main
from sync.server.config import Config
from sync.server.host.files import part_of
from sync.server.host.folder_hold import held
from sync.server.operator import admin, invite_list, letters, listing
from sync.server.operator.invitations import withdraw
from sync.trust.person.agency import SignInCode
from tests.sync.server.house import House
from tests.sync.server.process import ROOT
from tests.sync.server.wire import Person
from ui.shell.entry.welcome import Address, parse_link

NONE = Path("/none")
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler), which reads what we wrote, is not installed"
)
HEAD = "namn;titel;enhet\n"
THREE = HEAD + "Åsa Öberg;Handläggare;Tillsyn\nBo Ek;;\nЖанна Ω;Registrator;Väst\n"


class Place:
    """An agency, and a list of people."""

    def __init__(self, folder: Path) -> None:
        self.data, self.list = folder / "server", folder / "lists" / "folk.csv"
        admin.init(self.data, keys=folder / "keys", demo_ca=["kansli.myndighet.example"])
        self.list.parent.mkdir()
        self.list.write_text(THREE, encoding="utf-8")
        self.codes, self.letters = (self.list.with_name(f"folk.{end}") for end in ("codes.csv", "letters.pdf"))

    @property
    def command(self) -> list[str]:
        return ["invite", "--data", str(self.data), "--csv", str(self.list)]

    def table(self) -> list[dict[str, str]]:
        with self.codes.open(encoding="utf-8-sig", newline="") as f:
            return list(csv.DictReader(f, delimiter=";"))

    def open(self) -> list[str]:
        return sorted(line.name for line in asyncio.run(listing.invites(self.data)))

    def beside(self) -> list[str]:
        return sorted(path.name for path in self.list.parent.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@needs_poppler
@pytest.mark.slow
def test_a_list_becomes_codes_and_letters_by_the_real_command(place: Place) -> None:
    command = [sys.executable, "-m", "sync.server", "--log", "DEBUG", *place.command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("3 of 3 invited now, good until ")
    rows = place.table()
    assert [(row["line"], row["name"], row["unit"]) for row in rows] == [
        ("2", "Åsa Öberg", "Tillsyn"),
        ("3", "Bo Ek", ""),
        ("4", "Жанна Ω", "Väst"),
    ]
    codes = [row["code"] for row in rows]
    assert all(SignInCode.parse(code) for code in codes)
    assert not any(code[:19] in done.stdout + done.stderr for code in codes)
    assert [path.stat().st_mode & 0o777 for path in (place.codes, place.letters)] == [0o600, 0o600]
    printed = subprocess.run(["pdftotext", "-layout", place.letters, "-"], capture_output=True, text=True, check=True)
    pages = printed.stdout.split("\f")[:-1]
    assert len(pages) == 3
    for page, row in zip(pages, rows, strict=True):
        assert row["name"] in page
        assert row["code"].replace("-", "") in re.sub(r"[\s-]", "", page)
        assert re.search(r"Koden gäller en gång, till och med \w+dag \d+ \w+ 20\d\d kl\. \d\d\.\d\d\.", page)
        assert [line.strip()[:2] for line in page.splitlines() if re.match(r"\s*\d\. ", line)] == ["1.", "2.", "3."]
        assert "skriv kansli.myndighet.example:8443" in " ".join(page.split())
    assert "Handläggare · Tillsyn" in pages[0]


@needs_poppler
@pytest.mark.slow
def test_the_qr_code_of_a_letter_fills_in_the_first_page(place: Place, tmp_path: Path) -> None:
    from PIL import Image

    assert main(place.command) == 0
    subprocess.run(["pdftoppm", "-r", "100", "-png", place.letters, tmp_path / "page"], check=True)
    pictures = sorted(tmp_path.glob("page-*.png"))
    read = [zxingcpp.read_barcodes(Image.open(path))[0].text for path in pictures]
    assert [parse_link(text) for text in read] == [
        Address("kansli.myndighet.example:8443", row["code"]) for row in place.table()
    ]


async def test_a_code_of_the_list_enrols_its_person(house: House, tmp_path: Path) -> None:
    source = tmp_path / "folk.csv"
    source.write_text(THREE, encoding="utf-8")
    await invite_list.invite_all(Config(data=house.data), source, hours=72)
    with source.with_name("folk.codes.csv").open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f, delimiter=";"))
    person = await Person(rows[0]["name"]).enrol(house.server.url, house.data, rows[0]["code"])
    house.people.append(person)
    (line,) = await listing.users(house.data, "")
    assert (line.name, line.title, line.unit) == ("Åsa Öberg", "Handläggare", "Tillsyn")


def test_twice_does_no_harm_and_a_missing_letter_is_made_again(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(place.command) == 0
    before, table = place.codes.read_bytes(), place.table()
    written = place.letters.stat().st_mtime_ns
    capsys.readouterr()
    assert main(place.command) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("0 of 3 invited now")
    assert "Letters, made before" in printed.out
    assert printed.err == ""  # the list's own invitations are no namesakes
    assert (place.codes.read_bytes(), place.letters.stat().st_mtime_ns) == (before, written)
    asyncio.run(withdraw(place.data, bytes.fromhex(table[1]["invitation"])))
    place.letters.unlink()
    assert main(place.command) == 0
    assert place.codes.read_bytes() == before
    assert place.open() == ["Åsa Öberg", "Жанна Ω"]


class Killed(BaseException):
    """Raised in the place of a process that is killed there: nothing after it runs."""


@pytest.mark.parametrize("at", ["create_private", "_invited", "_write_letters"])
def test_what_was_cut_off_goes_on_and_makes_no_second_code(
    place: Place, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def killed(*given: object) -> None:
        raise Killed

    with monkeypatch.context() as once:
        once.setattr(invite_list, at, killed)
        with pytest.raises(Killed):
            main(place.command)
    left = place.codes.read_bytes() if place.codes.exists() else None
    assert main(place.command) == 0
    assert left in (None, place.codes.read_bytes())
    assert place.open() == ["Bo Ek", "Åsa Öberg", "Жанна Ω"]
    assert place.beside() == ["folk.codes.csv", "folk.csv", "folk.letters.pdf"]


@pytest.mark.parametrize("where", ["server", "key"])
def test_the_next_run_removes_what_a_kill_left_beside_files_that_are_whole(place: Place, where: str) -> None:
    to = place.data.parent / "invitations"
    command = place.command if where == "server" else offline(place, to)
    assert main(command) == 0
    for path in (place.codes, place.letters, to):
        if path.exists():
            part_of(path).hardlink_to(path)  # killed after the file was named, before the other name was removed
    assert main(command) == 0
    assert place.beside() == ["folk.codes.csv", "folk.csv", "folk.letters.pdf"]
    assert not part_of(to).exists()


@pytest.mark.slow
def test_a_real_kill_at_any_time_leaves_one_code_for_each_line(place: Place) -> None:
    place.list.write_text(HEAD + "".join(f"Handläggare {k};;\n" for k in range(200)), encoding="utf-8")
    command = [sys.executable, "-m", "sync.server", *place.command]
    seen: set[bytes] = set()
    for wanted in (place.codes, part_of(place.letters), None):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and not (wanted is not None and wanted.exists()):
            pass
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        seen.add(place.codes.read_bytes())
    assert process.returncode == 0
    assert len(seen) == 1
    assert len(place.open()) == 200
    assert place.beside() == ["folk.codes.csv", "folk.csv", "folk.letters.pdf"]


def test_a_list_with_a_fault_changes_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.list.write_text(THREE + "utan;kolumn\n", encoding="utf-8")
    assert main(place.command) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nobody is invited before this is corrected\n  line 5: it has 2 columns, not 3" in printed.err
    assert place.beside() == ["folk.csv"]
    assert place.open() == []


def test_a_list_that_was_changed_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(place.command) == 0
    before = place.codes.read_bytes(), place.letters.read_bytes()
    place.list.write_text(THREE + "Ny Person;;\n", encoding="utf-8")
    assert main(place.command) == 1
    assert "put new people in another list" in capsys.readouterr().err
    assert (place.codes.read_bytes(), place.letters.read_bytes()) == before
    assert len(place.open()) == 3


def test_letters_that_lie_there_are_not_overwritten(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.letters.write_bytes(b"mine")
    assert main(place.command) == 1
    assert "exists already, without folk.codes.csv: take it away first" in capsys.readouterr().err
    assert place.letters.read_bytes() == b"mine"
    assert place.beside() == ["folk.csv", "folk.letters.pdf"]


@pytest.mark.parametrize(
    ("spoil", "printed"),
    [
        (lambda text: text.replace("line;", "rad;"), "has the codes of another list"),
        (lambda text: re.sub(r"(\w{4})(-\w{4}){13}", "0000", text), "line 2: the code was changed"),
        (lambda text: "", "is no table of codes"),
        (lambda text: text + '"', "is no table of codes"),
    ],
)
def test_a_table_that_was_changed_is_refused(
    place: Place, capsys: pytest.CaptureFixture[str], spoil: Callable[[str], str], printed: str
) -> None:
    assert main(place.command) == 0
    place.codes.write_text(spoil(place.codes.read_text("utf-8-sig")), encoding="utf-8-sig")
    assert main(place.command) == 1
    assert printed in capsys.readouterr().err


def test_codes_of_another_agency_are_refused(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(place.command) == 0
    other = tmp_path / "other"
    admin.init(other, keys=tmp_path / "other keys")
    assert main(["invite", "--data", str(other), "--csv", str(place.list)]) == 1
    assert "has codes of another agency" in capsys.readouterr().err


def test_one_command_at_a_time_works_in_a_folder(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with held(place.list.parent, "busy"):
        assert main(place.command) == 1
    assert "another command invites people from a list in it" in capsys.readouterr().err


def test_names_that_are_there_and_letters_that_cannot_be_printed_are_named_by_line(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["invite", "--data", str(place.data), "--name", "Bo Ek"]) == 0
    place.list.write_text(THREE + "🙂 عمر;;\n", encoding="utf-8")
    capsys.readouterr()
    assert main(place.command) == 0
    printed = capsys.readouterr().err
    assert "line 3: Bo Ek has an open invitation already: " in printed
    assert "line 5: the letter has boxes in the place of " in printed
    assert "🙂" in printed
    assert "line 2" not in printed
    assert "line 4" not in printed


def test_a_letter_that_cannot_be_printed_is_named_as_the_list_has_it(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not in the form in which names are compared, which has another letter there."""
    place.list.write_text(THREE + "A\uab70;;\n", encoding="utf-8")
    assert "\uab70".casefold() == "\u13a0"
    assert main(place.command) == 0
    assert "line 5: the letter has boxes in the place of \uab70\n" in capsys.readouterr().err


def test_a_list_of_nothing_that_is_open_makes_no_letters(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(place.command) == 0
    for row in place.table():
        asyncio.run(withdraw(place.data, bytes.fromhex(row["invitation"])))
    place.letters.unlink()
    assert main(place.command) == 1
    assert "there is no letter to make" in capsys.readouterr().err


def test_a_full_disk_leaves_no_half_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as once:
        once.setattr(os, "fsync", full)
        assert main(place.command) == 1
    assert place.beside() == ["folk.csv"]
    assert main(place.command) == 0


@pytest.mark.parametrize(
    ("config", "address"),
    [
        (Config(data=NONE, addresses=("kansli.a.example:443", "b.example:443")), "kansli.a.example"),
        (Config(data=NONE, addresses=("kansli.a.example:8443",)), "kansli.a.example:8443"),
        (Config(data=NONE), ""),
        (Config(data=NONE, cert=NONE / "tls.pem"), ""),
    ],
)
def test_the_address_in_a_letter_is_the_configurations(config: Config, address: str) -> None:
    assert invite_list.address(config) == address


def test_a_letter_without_a_server_has_the_code_alone() -> None:
    assert letters.link("", "ABCD-EFGH") == "ABCD-EFGH"


def test_a_missing_list_is_named(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.list.unlink()
    assert main(place.command) == 1
    assert str(place.list) in capsys.readouterr().err
    assert place.open() == []


def left_out() -> list[str]:
    """What packaging/kansli-server.spec keeps out of the server's package."""
    spec = ast.parse((ROOT / "packaging" / "kansli-server.spec").read_text(encoding="utf-8"))
    named = {ast.unparse(node.targets[0]): node.value for node in spec.body if isinstance(node, ast.Assign)}
    found: list[str] = ast.literal_eval(named["UNUSED_MODULES"])
    return found


def test_letters_are_made_where_the_servers_package_is_all_there_is() -> None:
    assert {"PIL", "PySide6", "lxml", "app", "ui"} <= set(left_out())
    script = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if any(name == out or name.startswith(out + ".") for out in {left_out()}):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import sync.server.__main__
assert "fpdf" not in sys.modules
from sync.server.operator.letters import Letter, pdf
from sync.server.operator.staff_record import staff
data = pdf([Letter(who=staff(name="Åsa Ö", title="", unit=""), code="ABCD-EFGH", until_ms=0)], "")
assert data.startswith(b"%PDF-")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_attack_no_file_is_written_while_letters_are_made() -> None:
    """The codes are in them: a temporary file could be read, or found again after it was deleted."""
    script = """
import os, sys
from sync.server.operator import letters
from sync.server.operator.staff_record import staff
written = []
def note(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(args[0])
sys.addaudithook(note)
who = staff(name="Åsa Öberg", title="Handläggare", unit="Tillsyn")
data = letters.pdf([letters.Letter(who=who, code="ABCD-EFGH", until_ms=0)], "kansli.myndighet.example")
assert data.startswith(b"%PDF-")
assert written == [], written
open(os.devnull, "wb").close()
assert written == [os.devnull]  # what is written is noticed
"""
    command = [sys.executable, "-B", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# -- where the agency's key is ----------------------------------------------------------------------------------------


def offline(place: Place, to: Path) -> list[str]:
    key = place.data.parent / "keys" / "agency.key"
    return ["invite", "--csv", str(place.list), "--offline", str(to), "--agency-key", str(key)]


def test_a_list_is_invited_where_the_key_is_and_taken_in_on_the_server(place: Place) -> None:
    to = place.data.parent / "invitations"
    assert main(offline(place, to)) == 0
    assert place.open() == []
    assert place.beside() == ["folk.codes.csv", "folk.csv", "folk.letters.pdf"]
    assert not any(row["code"].encode() in to.read_bytes() for row in place.table())
    assert main(["import-invites", "--data", str(place.data), str(to)]) == 0
    assert place.open() == sorted(row["name"] for row in place.table())


@pytest.mark.parametrize("lost", ["invitations", "letters", "both", "nothing"])
def test_a_list_that_was_cut_off_where_the_key_is_goes_on_with_the_same_codes(place: Place, lost: str) -> None:
    to = place.data.parent / "invitations"
    assert main(offline(place, to)) == 0
    before = place.table()
    for path in {"invitations": [to], "letters": [place.letters], "both": [to, place.letters], "nothing": []}[lost]:
        path.unlink()
    assert main(offline(place, to)) == 0
    assert place.table() == before
    assert place.letters.exists()
    assert main(["import-invites", "--data", str(place.data), str(to)]) == 0
    assert len(place.open()) == 3


def test_a_file_of_other_invitations_is_left_alone(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    to = place.data.parent / "invitations"
    to.write_bytes(b"somebody else's")
    assert main(offline(place, to)) == 1
    assert "exists already: name a new file" in capsys.readouterr().err
    assert to.read_bytes() == b"somebody else's"
    assert place.beside() == ["folk.csv"]
    to.unlink()
    assert main(offline(place, to)) == 0
    other = to.with_name("other")
    place.codes.unlink()
    place.letters.unlink()
    assert main(offline(place, other)) == 0
    assert main(offline(place, to)) == 1
    assert "has the invitations of another list" in capsys.readouterr().err
