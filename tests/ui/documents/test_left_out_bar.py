# SPDX-License-Identifier: EUPL-1.2
"""The bar over a text with what a paste could not take."""

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from app.richtext.model import Document
from ui.kit.style import column
from ui.richtext.editor import Editor
from ui.richtext.left_out_bar import LeftOutBar


def test_it_shows_what_a_paste_left_out_until_it_is_closed_or_another_paste_leaves_nothing(qtbot: QtBot) -> None:
    editor, page = Editor(Document()), QWidget()
    qtbot.addWidget(page)
    bar = LeftOutBar(editor)
    layout = column(page)
    layout.addWidget(bar)
    layout.addWidget(editor)
    page.show()
    qtbot.waitUntil(page.isActiveWindow)
    assert not bar.isVisible()
    mime, plain = QMimeData(), QMimeData()
    mime.setHtml("<p>å</p><img src=x><img src=y>")
    plain.setText("ö")
    editor.insertFromMimeData(mime)
    assert bar.isVisible()
    assert bar.text() == "2 bilder kunde inte följa med."
    editor.insertFromMimeData(plain)
    assert not bar.isVisible()
    editor.insertFromMimeData(mime)
    close = bar.findChild(QAbstractButton)
    assert close is not None
    close.setFocus()
    QTest.keyClick(close, Qt.Key.Key_Space)
    assert not bar.isVisible()
    assert editor.hasFocus()
