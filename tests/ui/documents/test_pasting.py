# SPDX-License-Identifier: EUPL-1.2
"""The editor by clipboard: what may be pasted, and what is said of the rest."""

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.richtext.flow import BODY, Marks, Run, Style
from tests.ui.documents.editors import CTRL, SHIFT, Key, key, new_editor, shown


def test_pasted_html_keeps_what_a_document_holds_and_nothing_else(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "före efter")
    editor.select(5)
    mime = QMimeData()
    mime.setHtml(
        "<style>p{color:red}</style><script>x()</script><h1>Rubrik å</h1><p>ett <b>två</b> "
        '<a href="javascript:x()">tre</a> <a href="https://å.se">fyra</a><img src="file:///etc/passwd"></p>'
        "<ul><li>punkt<ul><li>inre 🙂</li></ul></li></ul>"
    )
    editor.insertFromMimeData(mime)
    assert document.plain_text() == "före Rubrik å\nett två tre fyra\npunkt\ninre 🙂efter"
    assert document.block(1).runs == (
        Run("ett "),
        Run("två", Marks(bold=True)),
        Run(" tre "),
        Run("fyra", Marks(link="https://å.se")),
    )
    assert [block.style.indent for block in document.blocks()] == [0, 0, 1, 2]
    assert document.undo()
    assert document.plain_text() == "före efter"


def test_pasting_says_what_could_not_be_taken(qtbot: QtBot) -> None:
    words: list[str] = []
    editor, document = new_editor(qtbot)
    editor.pasted.connect(words.append)
    for html, sentence in (
        (
            "<p>a<img src=x><img src=y><img src=z></p><table><tr><td>1</td><td>2</td></tr></table>",
            "3 bilder och 1 tabell kunde inte följa med. Tabellens text finns här, med tabbar mellan cellerna.",
        ),
        (
            "<table><tr><td>1<td>2</table><table><tr><td>1<td>2</table>",
            "2 tabeller kunde inte följa med. Tabellernas text finns här, med tabbar mellan cellerna.",
        ),
        ("<p>a<img src=x></p>", "1 bild kunde inte följa med."),
        ("<p>allt</p>", ""),
    ):
        mime = QMimeData()
        mime.setHtml(html)
        QApplication.clipboard().setMimeData(mime)
        key(editor, Key.Key_V, CTRL)
        assert words.pop() == sentence
    assert "1\t2" in document.plain_text()


def test_pasting_what_has_no_text_says_so_and_leaves_the_selection(qtbot: QtBot) -> None:
    words: list[str] = []
    editor, document = new_editor(qtbot, "kvar å")
    editor.pasted.connect(words.append)
    editor.selectAll()
    for form, data, sentence in (
        ("text/html", b"<img src=x>", "1 bild kunde inte följa med."),
        ("text/html", b"<div><br></div>", "Det fanns ingen text att klistra in."),
        ("image/png", b"x", "1 bild kunde inte följa med."),
        ("application/pdf", b"x", "Det fanns ingen text att klistra in."),
    ):
        mime = QMimeData()
        mime.setData(form, data)
        QApplication.clipboard().setMimeData(mime)
        key(editor, Key.Key_V, CTRL)
        assert words.pop() == sentence
    key(editor, Key.Key_V, CTRL | SHIFT)
    assert words.pop() == "Det fanns ingen text att klistra in."
    assert document.plain_text() == "kvar å"


def test_a_spreadsheet_is_pasted_as_text_though_it_offers_a_picture(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    mime = QMimeData()
    mime.setData("image/png", b"x")
    mime.setText("å\t2\n")
    mime.setHtml("<table><tr><td>å</td><td>2</td></tr></table>")
    editor.insertFromMimeData(mime)
    assert document.plain_text() == "å\t2"


def test_what_is_copied_here_is_pasted_here_as_it_was(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "Rubrik\npunkt ett å\nslut")
    document.set_styles(0, [Style(heading=2), Style(list="ol", indent=2), BODY])
    document.format(7, 5, {"bold": True})
    editor.select(0, 18)
    mime = editor.createMimeDataFromSelection()
    other, target = new_editor(qtbot)
    other.insertFromMimeData(mime)
    assert [(b.runs, b.style) for b in target.blocks()] == [(b.runs, b.style) for b in document.blocks()][:2]
    assert "<h2>Rubrik</h2>" in mime.html()
    assert mime.text() == "Rubrik\npunkt ett å"


def test_plain_paste_takes_the_style_of_where_it_lands(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "x")
    document.set_block(0, 0, Style(list="ul", indent=1))
    mime = QMimeData()
    mime.setHtml("<h1>Å</h1><p>b</p>")
    mime.setText("Å\nb")
    QApplication.clipboard().setMimeData(mime)
    editor.select(1)
    key(editor, Key.Key_V, CTRL | SHIFT)
    item = Style(list="ul", indent=1)
    assert shown(document) == [("xÅ", item), ("b", item)]
