# SPDX-License-Identifier: EUPL-1.2
"""What a view does with its editor's links: the dialog that changes one, and where a click leads."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from app.objects.links import ObjectLink
from ui.kit.tasks import run
from ui.kit.web import open_address
from ui.richtext.editor import Editor
from ui.richtext.link_dialog import LinkDialog
from ui.tool_views import follow


class LinkActions(QObject):
    """Does what an editor asks for with its links: shows the dialog for a link when the editor emits `link_wanted`, and
    opens the link at `link_opened`. `view` is the widget that contains the editor: the dialogs' parent."""

    def __init__(self, view: QWidget, editor: Editor) -> None:
        super().__init__(view)
        self._view = view
        self._editor = editor
        editor.link_wanted.connect(self._edit)
        editor.link_opened.connect(self._open)

    def _edit(self) -> None:
        dialog = LinkDialog(self._view, self._editor)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(lambda _result: self._editor.setFocus())
        dialog.open()

    def _open(self, address: str) -> None:
        """Opens the address of a link: an object of Kansli in the window; a web or mail address outside Kansli, after a
        question. Nothing happens with any other address."""
        link = ObjectLink.parse(address)
        if link is not None:
            follow(self._view, link)
        else:
            run(self._view, open_address(self._view, address))
