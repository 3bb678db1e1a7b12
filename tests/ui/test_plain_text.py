# SPDX-License-Identifier: EUPL-1.2
"""Qt's calls that take a text for HTML, a file for a picture or an address for one to open are in one place each."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAIN, PICTURES, WEB = "ui/kit/plain.py", "ui/kit/pictures.py", "ui/kit/web.py"
ICONS, MENU, DIALOGS = "ui/kit/icon_engine.py", "ui/kit/menu.py", "ui/kit/dialogs.py"
TRAY, COMMANDS, WINDOW = "ui/desktop/tray.py", "ui/shell/window/commands.py", "ui/shell/window/main_window.py"
FIELD, EDITOR = "ui/chat/text_field.py", "ui/richtext/editor.py"

CALLS = {
    PLAIN: {
        "setToolTip", "showText", "setTabToolTip", "setWhatsThis", "setTabWhatsThis", "setStatusTip", "setTextFormat",
        "setWindowTitle", "showMessage", "setInformativeText", "setDetailedText", "insertHtml", "appendHtml", "setHtml",
        "setMarkdown", "insertMarkdown", "setDefaultStyleSheet", "addResource", "setToolTipsVisible",
    },
    PICTURES: {"fromData", "loadFromData", "imageData", "hasImage", "addFile", "fromTheme", "setFileName"},
    WEB: {"openUrl", "setOpenExternalLinks", "setOpenLinks"},
    "ui/kit/theme.py": {"setStyleSheet"},
}  # fmt: skip
"""Methods, and the file that may call them."""
NAMES = {
    "QLabel": {PLAIN}, "QToolTip": {PLAIN}, "QMessageBox": {PLAIN}, "QSystemTrayIcon": {PLAIN, TRAY},
    "QWhatsThis": set(), "QErrorMessage": set(), "QTextBrowser": set(), "QTextDocumentFragment": set(),
    "QStaticText": set(), "QInputDialog": set(), "QProgressDialog": set(), "QSplashScreen": set(), "QWizard": set(),
    "QMenu": {MENU, TRAY}, "QAction": {MENU, TRAY, COMMANDS, WINDOW}, "QFileDialog": {DIALOGS},
    "QDesktopServices": {WEB}, "ToolTipRole": {PLAIN}, "StatusTipRole": set(), "WhatsThisRole": set(),
    "AutoText": set(), "MarkdownText": set(), "QImageReader": {PICTURES, "ui/selftest.py"}, "QSvgRenderer": {ICONS},
    "QSvgWidget": set(), "QMovie": set(), "QPicture": set(),
    "QBitmap": set(), "QTextImageFormat": set(), "QTextObjectInterface": set(),
    "webbrowser": set(),
}  # fmt: skip
"""Classes, roles and modules, and the files that may name them."""
ALSO = {("ui/richtext/clipboard.py", "setHtml"), ("ui/chat/clipboard.py", "setHtml")}
"""A QMimeData's own method: what is copied, not what is shown."""
LOADERS = {"theme.load", "texts.load", "self.load"}
RICH = {"RichText": "TextFormat"}
"""Qt's word for HTML; ui/chat/richtext.py has a class of the same name."""
EDITORS = {FIELD, EDITOR}
"""Whose QTextEdit is tied to a model or takes plain text, and loads nothing."""


def seen(name: str, tree: ast.AST) -> list[str]:
    """What in a file shows, decodes or opens something by a call of Qt's own."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr)) if _forbidden(name, attr):
                found.append(attr)
            case ast.Call(func=ast.Attribute(attr="load")) if ast.unparse(node.func) not in LOADERS:
                found.append(ast.unparse(node.func))
            case ast.Call(func=ast.Name(id=cls) | ast.Attribute(attr=cls)) if _reads_a_file(cls, node):
                found.append(f"{cls}({ast.unparse(node.args[0])})")
            case ast.Call(func=ast.Name(id="QTextEdit") | ast.Attribute(attr="QTextEdit")):
                found.append("QTextEdit()")
            case ast.ClassDef(bases=bases) if any(_last(b) == "QTextEdit" for b in bases):
                found += [] if name in EDITORS and _loads_nothing(node) else [f"class {node.name}"]
            case ast.Attribute(attr=attr, value=value) if RICH.get(attr) == _last(value):
                found.append(f"TextFormat.{attr}")
            case ast.Attribute(attr=word) | ast.Name(id=word) if name not in NAMES.get(word, {name}):
                found.append(word)
            case ast.ImportFrom(names=names):
                found += [n.name for n in names if name not in NAMES.get(n.name, {name})]
            case ast.Import(names=names):
                found += [n.name for n in names if name not in NAMES.get(n.name, {name})]
    return found


def _forbidden(name: str, attr: str) -> bool:
    return any(attr in calls and name != home for home, calls in CALLS.items()) and (name, attr) not in ALSO


def _reads_a_file(cls: str, call: ast.Call) -> bool:
    """A picture made of anything but a size: `QImage(path)`, `QPixmap(data)`, `QIcon(name)`."""
    if cls == "QImage":
        return bool(call.args) and not ast.unparse(call.args[-1]).startswith("QImage.Format.")
    if cls == "QPixmap":
        return len(call.args) == 1 or any(
            isinstance(arg, ast.Constant) and isinstance(arg.value, str) for arg in call.args
        )
    return cls == "QIcon" and bool(call.args)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _loads_nothing(cls: ast.ClassDef) -> bool:
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name == "loadResource"
        and isinstance(node.body[0], ast.Return)
        and isinstance(node.body[0].value, ast.Constant)
        and node.body[0].value.value is None
        for node in cls.body
    )


def test_only_the_kit_gives_texts_pictures_and_addresses_to_qt() -> None:
    wrong = {}
    for path in sorted((ROOT / "ui").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        found = seen(name, ast.parse(path.read_text(encoding="utf-8")))
        if found:
            wrong[name] = found
    assert wrong == {
        "ui/kit/icons.py": ["QIcon(DrawnIcon(drawing))"],
        PICTURES: ["QImage(source.imageData())"],
    }, "an icon's own engine, which reads resources/icons, and pixels of the Windows clipboard"


@pytest.mark.parametrize(
    ("name", "calls"),
    [(PLAIN, {"setToolTip", "QLabel", "ToolTipRole"}), (PICTURES, {"QImageReader"}), (WEB, {"openUrl"})],
)
def test_the_places_themselves_are_seen_by_the_same_eyes(name: str, calls: set[str]) -> None:
    assert calls <= set(seen("ui/x.py", ast.parse((ROOT / name).read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "source",
    [
        "row.setToolTip(title)",
        "QToolTip.showText(point, title)",
        "from PySide6.QtWidgets import QLabel",
        "from PySide6 import QtWidgets\nQtWidgets.QLabel(title)",
        "box.setItemData(0, text, Qt.ItemDataRole.ToolTipRole)",
        "from PySide6.QtWidgets import QMessageBox",
        "label.setTextFormat(Qt.TextFormat.RichText)",
        "x = Qt.TextFormat.RichText",
        "window.setWindowTitle(title)",
        "edit.setHtml(text)",
        "edit.insertHtml(text)",
        "edit.setMarkdown(text)",
        "field.setWhatsThis(text)",
        "field.setStatusTip(text)",
        "tray.showMessage(title, text)",
        "from PySide6.QtWidgets import QTextBrowser",
        "class Page(QTextEdit):\n    pass",
        "page = QTextEdit(text)",
        "QDesktopServices.openUrl(url)",
        "import webbrowser",
        "QImage(path)",
        "QImage(path, 'svg')",
        "QImage.fromData(data)",
        "QPixmap(path)",
        "QPixmap('a.svg', 'svg')",
        "pixmap.loadFromData(data)",
        "image.load(path)",
        "QIcon(path)",
        "QIcon.fromTheme('x')",
        "source.imageData()",
        "QImageReader(path)",
        "from PySide6.QtGui import QMovie",
        "from PySide6.QtSvg import QSvgRenderer",
        "widget.setStyleSheet(f'/* {title} */')",
    ],
)
def test_what_takes_a_text_for_something_else_is_seen(source: str) -> None:
    assert seen("ui/chat/view.py", ast.parse(source))


def test_an_editor_that_loads_what_a_text_names_is_seen() -> None:
    source = (
        "class E(QTextEdit):\n    def loadResource(self, kind, name):\n        return super().loadResource(kind, name)"
    )
    assert seen(EDITOR, ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "set_tip(row, title)",
        "label(title)",
        "QImage(size, QImage.Format.Format_RGB32)",
        "QPixmap(3, 4)",
        "QIcon()",
        "from ui.chat.richtext import RichText",
        "theme.load('light')",
        "edit.setPlainText(text)",
    ],
)
def test_what_is_plain_is_let_be(source: str) -> None:
    assert seen("ui/chat/view.py", ast.parse(source)) == []
