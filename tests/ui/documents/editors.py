# SPDX-License-Identifier: EUPL-1.2
"""An editor with a document of its own, and the keys that reach it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.richtext.flow import Style
from app.richtext.model import Document
from ui.richtext.editor import Editor

Key, Mod = Qt.Key, Qt.KeyboardModifier
CTRL, SHIFT, ALT = Mod.ControlModifier, Mod.ShiftModifier, Mod.AltModifier


def new_editor(qtbot: QtBot, text: str = "", *, read_only: bool = False) -> tuple[Editor, Document]:
    document = Document()
    document.set_up("Beslut")
    if text:
        document.splice(0, 0, text)
    editor = Editor(document, read_only=read_only)
    qtbot.addWidget(editor)
    editor.resize(900, 600)
    editor.show()
    return editor, document


def key(editor: Editor, code: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier, text: str = "") -> None:
    for kind in (QKeyEvent.Type.KeyPress, QKeyEvent.Type.KeyRelease):
        QApplication.sendEvent(editor, QKeyEvent(kind, code.value, modifiers, text))


def write(editor: Editor, text: str) -> None:
    for char in text:
        if char == "\n":
            key(editor, Key.Key_Return)
        else:
            key(editor, Key.Key_unknown, text=char)


def shown(document: Document) -> list[tuple[str, Style]]:
    return [(block.text, block.style) for block in document.blocks()]
