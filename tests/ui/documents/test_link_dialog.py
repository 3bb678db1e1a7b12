# SPDX-License-Identifier: EUPL-1.2
"""The dialog for a link, while a colleague writes in the same text."""

from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.richtext.model import Document
from tests.ui.documents.editors import new_editor
from ui.richtext.link_dialog import LinkDialog
from ui.richtext.links import link_around, link_tip

LINK = "https://lagen.nu"


def test_a_link_is_set_on_its_words_though_a_colleague_writes_meanwhile(qtbot: QtBot) -> None:
    for at, added, shown in (
        (0, "å 🙂 ", [("å 🙂 se ", ""), ("lagen", LINK), (" nu", "")]),
        (3, "å 🙂 ", [("se å 🙂 ", ""), ("lagen", LINK), (" nu", "")]),
        (8, "å 🙂", [("se ", ""), ("lagen", LINK), ("å 🙂 nu", "")]),
    ):
        editor, document = new_editor(qtbot, "se lagen nu")
        colleague = Document()
        colleague.merge([document.snapshot()])
        editor.select(3, 5)
        dialog = LinkDialog(editor, editor)
        qtbot.addWidget(dialog)
        dialog.address.setText(LINK)
        colleague.splice(at, 0, added)
        document.merge([colleague.snapshot()])
        dialog.accept()
        assert [(run.text, run.marks.link) for run in document.block(0).runs] == shown


def test_a_link_without_words_stands_where_the_caret_was_though_a_colleague_writes_there(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "se ")
    colleague = Document()
    colleague.merge([document.snapshot()])
    editor.select(3)
    dialog = LinkDialog(editor, editor)
    qtbot.addWidget(dialog)
    assert dialog.text is not None
    dialog.text.setText("lagen")
    dialog.address.setText(LINK)
    colleague.splice(3, 0, "å 🙂 ")
    colleague.splice(0, 0, "ö ")
    document.merge([colleague.snapshot()])
    dialog.accept()
    assert [(run.text, run.marks.link) for run in document.block(0).runs] == [("ö se å 🙂 ", ""), ("lagen", LINK)]


def test_a_link_dialog_changes_nothing_in_a_text_that_became_read_only(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "se lagen")
    editor.select(3, 5)
    dialog = LinkDialog(editor, editor)
    qtbot.addWidget(dialog)
    dialog.address.setText(LINK)
    editor.set_writable(False)
    dialog.accept()
    assert [(run.text, run.marks.link) for run in document.block(0).runs] == [("se lagen", "")]


def test_a_link_on_words_that_a_colleague_removed_meanwhile_changes_nothing(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "se lagen nu")
    document.format(0, 3, {"link": LINK})
    editor.select(3, 5)
    dialog = LinkDialog(editor, editor)
    qtbot.addWidget(dialog)
    dialog.address.setText("https://å.se")
    document.splice(3, 5, "")
    dialog.accept()
    assert [(run.text, run.marks.link) for run in document.block(0).runs] == [("se ", LINK), (" nu", "")]


def test_the_tip_of_a_link_says_how_it_is_opened_there() -> None:
    set_language("sv")
    assert link_tip(LINK, by_click=False).endswith("(Ctrl+klicka för att öppna)")
    assert link_tip(LINK, by_click=True).endswith("(klicka för att öppna)")
    assert link_tip("javascript:x", by_click=True) == ""


def test_a_link_with_words_of_several_formats_is_changed_and_removed_as_one(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "å 🙂 se lagen nu lagen")
    document.format(8, 5, {"link": LINK})
    document.format(10, 2, {"bold": True})
    for pos in (8, 10, 11, 13):
        assert link_around(document, pos, LINK) == (8, 5)
    for address, linked in (("https://å.se", ["la", "ge", "n"]), ("", [])):
        editor.select(11)
        dialog = LinkDialog(editor, editor)
        qtbot.addWidget(dialog)
        dialog.address.setText(address)
        dialog.accept()
        runs = document.block(0).runs
        assert [(run.text, run.marks.link) for run in runs if run.marks.link] == [(text, address) for text in linked]
        assert [run.text for run in runs if run.marks.bold] == ["ge"]
