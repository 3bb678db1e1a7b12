# SPDX-License-Identifier: EUPL-1.2
"""Export of documents from their menus and from commands, and what policy allows of it."""

from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.app.documents.desks import Desk, World
from tests.office import EK, NAMES
from tests.ui.documents.shown_documents import decision, show
from tests.ui.documents.test_paper import needs_pdftotext, text_of
from tests.world import until
from ui.documents import exporting
from ui.errors import code_of
from ui.kit.tasks import Again
from ui.tool_views import ActingView


class Asked(NamedTuple):
    """What a file dialog was asked to propose."""

    name: str
    filters: str
    suffix: str


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Asked]:
    """A person who saves everything where it is proposed, in tmp_path."""
    found: list[Asked] = []

    async def answer(_parent: QWidget, _title: str, name: str, filters: str = "", suffix: str = "") -> Path | None:
        found.append(Asked(name, filters, suffix))
        return tmp_path / name

    monkeypatch.setattr(exporting, "save_file", answer)
    return found


def chosen(menu: QWidget | None, text: str) -> None:
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().replace("&", "") == text).trigger()


@pytest.mark.parametrize(
    ("text", "suffix", "begins"),
    [("Word (docx) …", "docx", b"PK"), ("PDF …", "pdf", b"%PDF"), ("Markdown …", "md", "# Skäl ö 🙂".encode())],
)
async def test_a_document_is_exported_from_its_menu_and_from_the_lists(
    qtbot: QtBot, hl: Desk, tmp_path: Path, asked: list[Asked], text: str, suffix: str, begins: bytes
) -> None:
    view = show(qtbot, hl, decision(hl))
    assert view.document is not None
    view.document.more.click()
    chosen(QApplication.activePopupWidget(), text)
    target = tmp_path / f"Beslut_ 1-2 å.{suffix}"
    await until(target.exists)
    assert target.read_bytes().startswith(begins)
    assert (asked[0].name, asked[0].suffix) == (target.name, suffix)
    assert asked[0].filters.endswith(f"(*.{suffix})")
    view.show_list()
    view.list._on_menu(view.list.documents.rows.rows[0].obj, view.list.mapToGlobal(view.list.rect().center()))
    chosen(QApplication.activePopupWidget(), text)
    await until(lambda: len(asked) == 2)


@needs_pdftotext
async def test_a_pdf_holds_no_deleted_text_and_nobodys_name(
    qtbot: QtBot, world: World, hl: Desk, tmp_path: Path, asked: list[Asked]
) -> None:
    ek, obj = world.add(EK), decision(hl, "Beslut")
    world.deliver()
    document = ek.documents.open(obj)
    document.splice(0, 0, "kanariefågel ")
    document.splice(0, len("kanariefågel "), "")
    document.splice(document.length_utf16, 0, "\nSlut")
    ek.documents.close(obj)
    world.deliver()
    show(qtbot, hl, obj).doable()["export-pdf"]()
    target = tmp_path / "Beslut.pdf"
    await until(target.exists)
    data = target.read_bytes()
    (shown,) = text_of(data)
    assert "Slut" in shown
    for word in ("kanariefågel", *NAMES.values()):
        assert word not in shown
        assert word.encode() not in data
        assert word.encode("utf-16-be") not in data


@pytest.mark.parametrize(("export", "printing"), [(False, True), (True, False)])
async def test_policy_refuses_before_anybody_is_asked_where(
    qtbot: QtBot,
    hl: Desk,
    asked: list[Asked],
    errors_shown: list[tuple[Exception, Again]],
    export: bool,
    printing: bool,
) -> None:
    view = show(qtbot, hl, decision(hl))
    files, does = hl.documents.files, view.doable()
    files.may_export, files.may_print = lambda: export, lambda: printing
    refused = "print-off" if export else "export-off"
    does["export-pdf"]()  # offered before the policy came
    await until(lambda: bool(errors_shown))
    does["print" if export else "export-docx"]()
    await until(lambda: len(errors_shown) == 2)
    assert [code_of(error) for error, _ in errors_shown] == [refused] * 2
    assert asked == []


@pytest.mark.parametrize(("export", "printing"), [(False, True), (True, False), (True, True)])
def test_menus_and_commands_offer_what_policy_allows_and_say_why_not(
    qtbot: QtBot, hl: Desk, export: bool, printing: bool
) -> None:
    view = show(qtbot, hl, decision(hl))
    hl.documents.files.may_export, hl.documents.files.may_print = lambda: export, lambda: printing
    allowed = {
        "Skriv ut …": printing,
        "Word (docx) …": export,
        "PDF …": export and printing,
        "Markdown …": export,
    }
    names = dict(zip(("print", "export-docx", "export-pdf", "export-markdown"), allowed.values(), strict=True))
    assert {name for name in names if name in view.doable()} == {name for name, is_there in names.items() if is_there}
    assert view.document is not None
    assert view.document.more.accessibleName() == "Mer om dokumentet", "it holds more than printing and exporting"
    view.document.more.click()
    for _ in range(2):
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        actions = {action.text().replace("&", ""): action.isEnabled() for action in menu.actions()}
        assert {text: actions[text] for text in allowed} == allowed
        said = "\n".join(actions)
        assert ("tillåter inte att filer sparas utanför Kansli" in said) is not export
        assert ("tillåter inte att dokument skrivs ut" in said) is not printing
        menu.close()
        view.show_list()
        view.list._on_menu(view.list.documents.rows.rows[0].obj, view.list.mapToGlobal(view.list.rect().center()))


def test_the_windows_commands_do_what_is_open(qtbot: QtBot, hl: Desk) -> None:
    view = show(qtbot, hl)
    assert isinstance(view, ActingView)
    assert set(view.doable()) == {"import"}
    obj = decision(hl)
    view.open(obj)
    assert set(view.doable()) == {"print", "export-docx", "export-pdf", "export-markdown", "import"}
    view.show_list()
    assert view.list.current() == obj
    assert "print" in view.doable(), "Ctrl+P, which the row's menu shows, prints the current row"


def test_a_file_is_named_after_the_document_as_far_as_names_go() -> None:
    assert exporting.file_name("Beslut 2026/1184: å?") == "Beslut 2026-1184_ å_"
    assert exporting.file_name("") == exporting.file_name("...") != ""
    assert len(exporting.file_name("å" * 200).encode()) < 200
