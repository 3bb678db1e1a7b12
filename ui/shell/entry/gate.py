# SPDX-License-Identifier: EUPL-1.2
"""The page of the gate, before a session is open: a card in the middle with the logo, and an error in place. Used for
unlocking and first start."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.errors import format_error
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel, scroll
from ui.kit.error_line import ErrorLine
from ui.kit.progress import Spinner
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props


class GatePage(QWidget):
    """A page in place of all that the window shows otherwise, such as the one for unlocking: title, text, `body` for
    fields, an error line, and a row of buttons with a spinner. In a low window all of it scrolls."""

    def __init__(self, title: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        inside = QWidget()
        self._area = scroll(inside, title)
        column(self).addWidget(self._area)
        outer = column(inside, margins=(24, 24, 24, 24))
        outer.addStretch(2)
        card = Card(margin=32, spacing=12)
        hold(card, most_width=460)
        head = line(spacing=10)
        head.addWidget(IconLabel("logo", "accent", 28))
        head.addWidget(label("Kansli", "title"))
        head.addStretch(1)
        card.content.addLayout(head)
        card.content.addSpacing(4)
        self.heading = label(title, "heading", wrap=True)
        self.text = label(text, "muted", wrap=True)
        card.content.addWidget(self.heading)
        card.content.addWidget(self.text)
        self.body = column(spacing=6)
        card.content.addLayout(self.body)
        self.error = ErrorLine()
        card.content.addWidget(self.error)
        self.buttons = line(spacing=8)
        self.spinner = Spinner()
        self.buttons.addWidget(self.spinner)
        self.buttons.addStretch(1)
        card.content.addLayout(self.buttons)
        # A line with stretches, not an alignment: only so do wrapped labels get the height that they need.
        middle = line()
        middle.addStretch(1)
        middle.addWidget(card, 1000)  # as wide as it may be, before the stretches get anything
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)

    def show_message(self, title: str, text: str) -> None:
        """Replaces the page's title and text, on screen and for screen readers."""
        for part in (self, self._area):
            part.setAccessibleName(title)
        self.heading.setText(title)
        self.text.setText(text)

    def add_field(self, name: str, *, secret: bool = False, hint: str = "") -> QLineEdit:
        """Adds a field for one line below the page's other fields, under the label `name`. `secret`: what is typed is
        not shown. `hint`: a grey text while the field is empty."""
        caption = label(name, "label")
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(hint)
        hold(field, least_height=34)
        field.setEchoMode(QLineEdit.EchoMode.Password if secret else QLineEdit.EchoMode.Normal)
        caption.setBuddy(field)
        if self.body.count():
            self.body.addSpacing(6)
        self.body.addWidget(caption)
        self.body.addWidget(field)
        return field

    def add_button(self, button: TextButton) -> TextButton:
        """Adds a button at the right end of the page's row of buttons, and returns it."""
        self.buttons.addWidget(button)
        return button

    def show_error(self, error: Exception, prefix: str = "") -> None:
        """Shows below the fields what happened, what it means, what to do, and the error's code. `prefix` is put before
        the code to look up the page's own sentence for the error first, for example "join-"."""
        self.error.show_text(*format_error(error, prefix))
        QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(self.error))  # once it has its place

    def clear_error(self) -> None:
        """Hides the error."""
        self.error.clear()
