# SPDX-License-Identifier: EUPL-1.2
"""The bar over an editor with what could not be pasted into it."""

from ui.kit.announcing import announce
from ui.kit.toast import InfoBar
from ui.kit.translate import tr
from ui.richtext.editor import Editor


class LeftOutBar(InfoBar):
    """A bar above an editor with what the last paste could not take. It stays until it is closed, which gives the
    editor the focus, or until another paste. Put it above the editor: it shows and hides itself."""

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self._editor = editor
        self._button.setAccessibleName(tr("Close the message"))  # also while it is hidden beside other bars
        editor.pasted.connect(self.show_left_out)

    def show_left_out(self, left_out: str) -> None:
        """Shows and announces the sentence `left_out`: what could not be pasted, or imported into a new text; "" hides
        the bar."""
        self.hide()
        if left_out:
            self.show_state("warning", "warning", left_out, tr("Close the message"), self._close)
            announce(self, left_out)

    def _close(self) -> None:
        self.hide()
        self._editor.setFocus()
