# SPDX-License-Identifier: EUPL-1.2
"""Every text has a Swedish one; dates as they are written in Sweden."""

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app import settings
from app.core.i18n import catalogue, read_po, set_language, tr, trn
from resources import path
from ui.kit.translate import change_language, day_or_time, key_text, long_day, short_day, week

ROOT = Path(__file__).resolve().parents[3]
FILES = [file for part in ("ui", "app") for file in sorted((ROOT / part).rglob("*.py"))]


@pytest.fixture(autouse=True)
def swedish() -> Iterator[None]:
    """Swedish before and after."""
    set_language("sv")
    yield
    set_language("sv")


def texts() -> Iterator[tuple[str, str, int]]:
    """(where, msgid, forms) of every tr and trn in our files."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "trn"):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield f"{file.name}:{node.lineno}", str(first.value), 1 if node.func.id == "tr" else 2


def fields(text: str) -> set[str]:
    """The placeholders in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_has_a_swedish_one() -> None:
    swedish = catalogue("sv")
    missing = [(where, msgid) for where, msgid, forms in texts() if len(swedish.get(msgid, ())) < forms]
    assert not missing


def test_no_swedish_text_is_of_nothing() -> None:
    builders = (ROOT / "packaging/builder").glob("*.py")  # the templates of policies have texts, too
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in [*FILES, *builders]]
    shown = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert [msgid for msgid in catalogue("sv") if msgid and msgid not in shown] == []


def test_every_setting_and_choice_has_a_swedish_name() -> None:
    swedish = catalogue("sv")
    labels = [s.label for s in settings.SETTINGS] + [name for s in settings.SETTINGS for _, name in s.choices]
    labels += [s.about for s in settings.SETTINGS if s.about]
    assert [x for x in labels if x not in swedish] == []


AREAS = sorted(file.stem for file in (ROOT / "resources/locale/sv").glob("*.po"))


@pytest.mark.parametrize("area", AREAS)
def test_no_text_is_translated_twice_in_an_area(area: str) -> None:
    msgids = re.findall(r'^msgid ((?:"[^\n]*"\n)+)', path(f"locale/sv/{area}.po").read_text(encoding="utf-8"), re.M)
    assert len(msgids) > 1
    assert [msgid for msgid, count in Counter(msgids).items() if count > 1] == []


@pytest.mark.parametrize("area", AREAS)
def test_translations_have_the_same_placeholders(area: str) -> None:
    for msgid, forms in read_po(path(f"locale/sv/{area}.po")).items():
        for form in forms:
            assert form, msgid
            assert fields(form) == fields(msgid), msgid


def test_singular_and_plural_are_chosen() -> None:
    assert [trn("{n} new message", "{n} new messages", n).format(n=n) for n in (1, 2)] == [
        "1 nytt meddelande",
        "2 nya meddelanden",
    ]
    set_language("en")
    assert trn("{n} new message", "{n} new messages", 2).format(n=2) == "2 new messages"
    assert tr("Search everything") == "Search everything"


def test_dates_are_written_as_in_sweden() -> None:
    day = date(date.today().year, 11, 24)  # noqa: DTZ011 - local day is meant
    assert long_day(day).endswith(" 24 november")
    assert short_day(date(2026, 11, 24), date(2026, 1, 1)) == "24 nov"
    assert short_day(date(2025, 10, 1), date(2026, 1, 1)) == "1 okt 2025"
    assert week(date(2026, 11, 24)) == 48


def test_times_are_shown_in_a_word() -> None:
    now = datetime(2026, 11, 24, 14, 5).astimezone()

    def shown(ago: timedelta) -> str:
        return day_or_time(int((now - ago).timestamp() * 1000), now)

    assert shown(timedelta(seconds=20)) == "nyss"
    assert shown(timedelta(hours=4)) == "10:05"
    assert shown(timedelta(days=1)) == "i går"
    assert shown(timedelta(days=4)) == "20 nov"


def test_qts_own_texts_and_keys_are_in_the_language_too(qtbot: QtBot) -> None:
    field = QLineEdit()
    qtbot.addWidget(field)

    def menu() -> list[str]:
        return [
            action.text().partition("\t")[0].replace("&", "") for action in field.createStandardContextMenu().actions()
        ]

    change_language("sv")
    assert "Klistra in" in menu()
    assert (key_text("Ctrl+Up"), key_text("Ctrl+Shift+A")) == ("Ctrl+Upp", "Ctrl+Skift+A")
    change_language("en")
    assert "Paste" in menu()
    assert (key_text("Ctrl+Up"), key_text("Ctrl+Shift+A")) == ("Ctrl+Up", "Ctrl+Shift+A")
