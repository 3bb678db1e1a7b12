# SPDX-License-Identifier: EUPL-1.2
"""What the desktop hands over with a link stays a link."""

import os

import pytest

from app.licences import PROGRAM
from ui.__main__ import arguments, run
from ui.main import _parser


@pytest.mark.parametrize(
    ("given", "link"),
    [
        (["--link", "kansli://enrol?server=a&code=b"], "kansli://enrol?server=a&code=b"),
        (["--link", "kansli://x", "--data", "\\\\evil\\share"], "kansli://x --data \\\\evil\\share"),
        (["--link", "--purge-machine"], "--purge-machine"),
        (["--link"], ""),
        (["kansli://x"], "kansli://x"),
        ([], ""),
    ],
)
def test_nothing_that_comes_with_a_link_is_an_option(given: list[str], link: str) -> None:
    read = _parser().parse_args(arguments(given))
    assert read.link == link
    assert read.data is None
    assert not read.purge_machine


def test_other_arguments_are_as_they_were() -> None:
    read = _parser().parse_args(arguments(["--profile", "second", "kansli://x"]))
    assert (read.profile, read.link) == ("second", "kansli://x")


@pytest.mark.parametrize("given", [["--purge-machine", "--yes"], ["--data", "x", "--purge-machine"]])
def test_purging_with_anything_else_is_an_error_and_no_window(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(given)
    assert ended.value.code == 2
    assert "stands alone" in capsys.readouterr().err


def test_the_version_is_shown_without_a_window(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(arguments(["--version"]))
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"kansli {PROGRAM}\n"


def test_a_link_with_bytes_that_are_no_text_harms_nobody() -> None:
    link = os.fsdecode(b"kansli://enrol?server=\xff&code=\xc3\xa5")
    assert _parser().parse_args(arguments(["--link", link])).link == "kansli://enrol?server=?&code=å"
