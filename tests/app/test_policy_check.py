# SPDX-License-Identifier: EUPL-1.2
"""`kansli --check-policies`: each value, its place, whether it counts, and each fault by line and column."""

import json
import subprocess
import sys
from pathlib import Path
from typing import SupportsIndex

import pytest

from app import policy, policy_check, policy_json
from app.policy import from_files, from_registry
from tests.app.test_policy import HKCU, HKLM, FakeRegistry
from ui.__main__ import run

ROOT = Path(__file__).parents[2]


def checked(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Exit status and lines of the check of one file."""
    status = policy_check.main([str(path)])
    return status, [line.replace(f"{path}:", "") for line in capsys.readouterr().out.splitlines()]


def written(tmp_path: Path, text: str, name: str = "10-å 🙂.json") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_file_is_printed_with_each_value_and_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, '{\n  "auto-lock-minutes": 5,\n\n  "servers": ["å.example"]}'.replace("å", "a"))
    assert checked(path, capsys) == (
        0,
        [
            "2:3: auto-lock-minutes = 5: fixed",
            '4:3: servers = ["a.example"]: fixed',
            "Everything counts as it is written.",
        ],
    )


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('{\n  "å🙂": 1,\n  "theme": "dark",\n}', "3:18: LEFT OUT: a comma too many"),
        ('{"servers": ["a.example",\n  ] }', "1:25: LEFT OUT: a comma too many"),
        ('{"theme": "dark" "language": "sv"}', "1:18: LEFT OUT: no sound JSON here"),
        ("{\n'theme': 1}", "2:1: LEFT OUT: no sound JSON here"),
        ('{"theme": "dark"', "LEFT OUT: no sound JSON here"),
        ("", "1:1: LEFT OUT: the file is empty"),
        ("[1, 2]", "1:1: LEFT OUT: the file must hold one object"),
        ("[" * 100_000, "LEFT OUT: the file holds a number or nesting beyond all measure"),
        (" " * 1_000_001, "LEFT OUT: the file is larger than 1000000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_place_of_its_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, output: str
) -> None:
    status, (line, end) = checked(written(tmp_path, text), capsys)
    assert status == 1
    assert output in line
    assert line.endswith("Nothing in it counts")
    assert end == "1 fault."


def test_a_byte_that_is_no_text_is_named_by_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "10.json"
    path.write_bytes('{"å": 1,\n "b": "\xff"}'.encode("latin-1").replace(b"\xe5", "å".encode()))
    assert checked(path, capsys)[1][0].startswith("2:8: LEFT OUT: this is no UTF-8 text")


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('{"auto-lock": 5}', "1:2: auto-lock = 5: LEFT OUT: there is no such setting"),
        ('{"auto-lock-minutes": 7}', "LEFT OUT: needed is one of 0, 5, 15, 30, 60"),
        ('{"allow-export": "no"}', 'allow-export = "no": LEFT OUT: needed is true or false'),
        ('{"offline-days": 4000}', "LEFT OUT: needed is a whole number from 0 to 3650"),
        ('{"proxy-address": "a b"}', "LEFT OUT: needed is a text: The proxy as host:port"),
        ('{"servers": 1}', "LEFT OUT: needed is a list of texts, or one text with commas: The servers"),
        ('{"data-root": "x/y"}', "LEFT OUT: needed is an absolute folder"),
        ('{"server": "a.example"}', "LEFT OUT: there is no such setting for a policy"),
        ('{"theme": "\\u001b[2J"}', r'theme = "\u001b[2J": LEFT OUT'),
        ('{"\x7f": 1}', "LEFT OUT: there is no such setting"),
    ],
)
def test_a_value_that_does_not_count_is_named_with_what_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, output: str
) -> None:
    status, lines = checked(written(tmp_path, text), capsys)
    assert status == 1
    assert output in lines[0]
    assert "\x1b" not in lines[0]


def test_a_key_that_is_given_twice_counts_where_it_is_given_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, '{"theme": "dark",\n "theme": "light"}')
    status, lines = checked(path, capsys)
    assert status == 1
    assert lines[0].startswith('1:2: theme = "dark": LEFT OUT: the key is given again further down')
    assert lines[1] == '2:2: theme = "light": fixed'
    assert policy.from_file(path, proposed=False).fixed == {"theme": "light"}


def test_files_are_checked_together_and_a_later_one_replaces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    first, second = written(folder, '{"theme": "dark"}', "10.json"), written(folder, '{"theme": "light"}', "20.json")
    proposed = written(tmp_path, '{"server": "a.example", "theme": "dark"}', "defaults.json")
    monkeypatch.setattr(policy_check, "machine", lambda: from_files(folder, proposed))
    assert policy_check.main([]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f'{first}:1:2: theme = "dark": replaced by {second}:1:2',
        f'{second}:1:2: theme = "light": fixed',
        f'{proposed}:1:2: server = "a.example": proposed',
        f'{proposed}:1:25: theme = "dark": proposed',
        "Everything counts as it is written.",
    ]


@pytest.mark.parametrize("mode", ["manual", "pac"])
def test_a_proxy_that_no_policy_names_is_a_fault_of_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    path = written(tmp_path, json.dumps({"proxy-mode": mode}), "10.json")
    monkeypatch.setattr(policy_check, "machine", lambda: from_files(tmp_path, tmp_path / "none"))
    assert policy_check.main([]) == 1
    assert f'{path}:1:2: proxy-mode "{mode}" needs proxy-address' in capsys.readouterr().out
    assert policy_check.main([str(path)]) == 0, "the address may stand in another file"
    written(tmp_path, '{"proxy-address": "proxy.example:3128"}', "20.json")
    assert policy_check.main([]) == 0


def test_the_registry_is_checked_in_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    registry = FakeRegistry({HKCU: {"Theme": "dark"}, HKLM: {"THEME": "light", "AutoLockMinutes": 7, "Blob": b"\x1b"}})
    lines = [line for line, _ in policy_check.report(from_registry(registry), whole=True)]
    machine, person = rf"HKLM\{policy.POLICY_KEY}", rf"HKCU\{policy.POLICY_KEY}"
    assert lines == [
        f'{person}: theme = "dark": replaced by {machine}',
        f'{machine}: theme = "light": fixed',
        f"{machine}: auto-lock-minutes = 7: LEFT OUT: needed is one of 0, 5, 15, 30, 60",
        f"{machine}: Blob = bytes: LEFT OUT: there is no such setting for a policy; the keys are in POLICIES.md",
    ]


def test_a_computer_without_policies_is_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_check, "machine", lambda: from_files(tmp_path / "none", tmp_path / "none"))
    assert policy_check.main([]) == 0
    assert "Nothing is fixed or proposed." in capsys.readouterr().out


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = checked(tmp_path / "none.json", capsys)
    assert status == 1
    assert "the file cannot be read: No such file or directory" in lines[0]
    assert policy_check.main(["a", "b"]) == 1


def test_what_is_read_is_what_json_reads(tmp_path: Path) -> None:
    text = ' {"a" : {"b": [1, {"}": ","}]} ,\r\n"å\\"🙂,": "},{", "c":-1.5e3,"d":null , "e":[]}\n'
    entries = policy_json.read(written(tmp_path, text))
    assert {entry.key: entry.value for entry in entries} == json.loads(text)
    assert [(entry.line, entry.column) for entry in entries] == [(1, 3), (2, 1), (2, 17), (2, 28), (2, 39)]
    assert policy_json.read(written(tmp_path, "{ }")) == []


def test_the_sample_that_is_handed_out_is_sound() -> None:
    assert policy_check.main([str(ROOT / "packaging/linux/policies-sample.json")]) == 0


@pytest.mark.slow
def test_the_option_needs_no_qt(tmp_path: Path) -> None:
    path = written(tmp_path, '{"theme": "dark",}')
    program = (
        "import sys; from ui.__main__ import run; status = run(sys.argv[1:]);"
        "assert not any(name.startswith('PySide6') for name in sys.modules); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--check-policies", str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert f"{path}:1:17: LEFT OUT: a comma too many" in done.stdout


def test_the_program_answers_to_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([policy_check.OPTION, str(written(tmp_path, '{"theme": "dark"}'))]) == 0
    assert "fixed" in capsys.readouterr().out


def test_attack_no_key_of_a_file_and_no_files_name_commands_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = r'{"\u001b[2J\u009b\ud800\u202e": 1, "' + "x" * 1000 + '": 2}'
    path = written(tmp_path, text, "10-\x1b]0;x\x07.json")
    status = policy_check.main([str(path)])
    output = capsys.readouterr().out
    output.encode()
    assert status == 1
    assert r"\u001b[2J\u009b\ud800\u202e = 1: LEFT OUT" in output
    assert output.replace("\n", "").isprintable()
    assert "x" * 201 not in output


def test_attack_a_file_of_countless_entries_is_read_in_one_pass() -> None:
    """Else such a file, by mistake or not, kept everybody waiting for a minute when the program starts."""
    counted: list[int] = []

    class Text(str):
        def count(self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /) -> int:
            counted.append(len(self[start:end]))
            return super().count(sub, start, end)

    text = "{\n" + ",\n".join(f'"{n % 7}": 1' for n in range(2000)) + "}"
    found = list(policy_json._entries(Text(text)))
    assert sum(counted) <= len(text)
    assert [(e.line, e.column) for e in found] == [(n + 2, 1) for n in range(2000)]
