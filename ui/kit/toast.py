# SPDX-License-Identifier: EUPL-1.2
"""Two kinds of messages: a short one about what was done, with Undo, which disappears by itself; and a quiet bar for
states such as offline."""

from collections.abc import Callable

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from ui.kit.announcing import announce
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import IconLabel
from ui.kit.folding_row import FoldingRow
from ui.kit.gathering import Kind
from ui.kit.plain import code_line
from ui.kit.scale import hold, px
from ui.kit.style import column, label, line, set_props
from ui.kit.translate import tr

SHOWN_MS, UNDO_MS = 7000, 15_000
"""How long a message stays, without and with Undo."""
_FROM_FOOT, _FROM_FIELD, _APART = 44, 12, 8
_WIDEST = 16_777_215
"""Qt's QWIDGETSIZE_MAX, which PySide6 does not export: no limit."""
_LEAST_PX = 80
"""The least width of a message's text, at 100 %. In a host that has no room for it, the message is wider than that."""
WORDS_PX = 230
"""The least width of a bar's sentence beside its button, at 100 %. In a narrower bar the sentence is above the
button."""
_BAR_HEIGHT = 36
"""The height of a bar with and without an action, so that one bar is not thinner than another."""


class Toast(QFrame):
    """A short message at the bottom of `host` that disappears by itself, above everything but the field where one
    writes, which `writing_area` returns (None: there is none). Esc or the cross closes the message.

    One message is shown at a time; but a message without an action is shown above one with Undo and does not replace
    it, as a second Toast whose `over` is the first. A message stays while the pointer rests on it or the focus is in
    it, and for its whole time after that; one that is `kept` or has a button also while the host is hidden, as under
    the curtain. It is announced, and once more when a host that was hidden is shown. When the message is hidden, the
    focus goes back to where it came from.
    """

    def __init__(
        self, host: QWidget, writing_area: Callable[[], QWidget | None] = lambda: None, over: "Toast | None" = None
    ) -> None:
        super().__init__(host)
        self._host = host
        self._over = over
        """The message above which this one is placed while that is shown."""
        self._above: Toast | None = None
        self._writing_area = writing_area
        set_props(self, frame="toast")
        self.setAccessibleName(tr("Message"))
        row = line(self, margins=(16, 8, 8, 8), spacing=12)
        self._text, self._code = label("", "on-tip", wrap=False), label("", "code-on-tip")
        self.undo = TextButton(tr("Undo"), self._take_back, kind="toast")
        self.other = TextButton("", self._do_other, kind="toast")
        self._close = IconButton("close", tr("Close the message"), self.hide, size=16, role="on-tip")
        for part in (self._text, self._code, self.undo, self.other, self._close):
            row.addWidget(part)
        self._action: Callable[[], object] | None = None
        self._other: Callable[[], object] | None = None
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self._came_from: QWidget | None = None
        self._pointed = False
        self._waits_to_be_seen = False
        self._shown_code = ""
        self._unheard = ""
        """What is announced once the host is shown: it was hidden, as under the curtain, where nothing is read out."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._on_focus)
        host.installEventFilter(self)
        self.hide()

    def show_text(
        self,
        text: str,
        undo: Callable[[], object] | None = None,
        action: str = "",
        *,
        other: tuple[str, Callable[[], object]] | None = None,
        code: str = "",
        kept: bool = False,
    ) -> None:
        """Shows and announces a message. `undo` is called by a button with the text `action` ("": Undo); None: there is
        no button. `other`: the text of a second button, and what it calls. With `undo` or `kept` the announcement is
        never dropped. `code`: an error's code, shown small after the text. ▲ A message that waits to be seen, since the
        host is hidden, is not replaced: a second one that is `kept` is shown above it, or it above one with a button.
        Otherwise a message that came later under the curtain would take an error away that nobody has read."""
        waits = self._waits_to_be_seen and not self.isHidden() and not self._host.isVisible()
        waits = waits and text != self._text.text()  # what the disk refuses once more is said once
        if self._over is not None and waits and not kept:
            return  # nobody sees it
        if undo is None and self._over is None and (waits or (self._action is not None and self.isVisible())):
            self._show_above(text, code=code, kept=kept)
            return
        if waits and self._over is None:
            self._show_above(self._text.text(), code=self._shown_code, kept=True)
        if self._above is not None and undo is None:
            self._above.hide()
        self._action, self._other = undo, other[1] if other is not None else None
        self._shown_code = code
        self.other.setText(other[0] if other is not None else "")
        self.other.setVisible(other is not None)
        self._code.setText(code_line(code))
        self._code.setVisible(bool(code))
        self.undo.setText(action or tr("Undo"))
        self._text.setText(text)
        for part in (self, self.undo, self.other, self._close):  # two messages may have the same buttons
            part.setAccessibleDescription(text)
        self.undo.setVisible(undo is not None)
        self.show()
        self.place()
        self.raise_()
        self._waits_to_be_seen = kept or undo is not None
        self._timer.setInterval(SHOWN_MS if undo is None else UNDO_MS)
        self._wait()
        undone = undo is not None and not action
        whole = f"{text} {code_line(code)}".rstrip()
        announced = tr("{text}. It can be undone.").format(text=text.rstrip(".")) if undone else whole
        announce(self, announced, Kind.KEPT if kept or undo is not None else Kind.DONE)
        self._unheard = announced if self._waits_to_be_seen and not self._host.isVisible() else ""

    def _announce_again(self) -> None:
        text, self._unheard = self._unheard, ""
        if text and not self.isHidden():
            announce(self, text, Kind.KEPT)

    def _show_above(self, text: str, *, code: str, kept: bool) -> None:
        if self._above is None:
            self._above = Toast(self._host, self._writing_area, self)
            self.destroyed.connect(self._above.deleteLater)
        self._above.show_text(text, code=code, kept=kept)

    def _wait(self) -> None:
        is_unseen = self._waits_to_be_seen and not self._host.isVisible()
        if self._pointed or self._has_focus() or is_unseen:
            self._timer.stop()
        else:
            self._timer.start()

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _on_focus(self, old: QWidget | None, now: QWidget | None) -> None:
        if not self.isVisible():
            return
        if now is not None and self.isAncestorOf(now):
            self._came_from = old if old is not None and not self.isAncestorOf(old) else self._came_from
            self._timer.stop()
        elif not self._timer.isActive():
            self._wait()

    def hide(self) -> None:
        """Hides the message. If the focus is in it, the focus goes back to where it came from."""
        back = self._came_from if self._has_focus() else None
        self._timer.stop()
        self._came_from, self._pointed = None, False
        if back is not None and shiboken6.isValid(back) and back.isVisible():
            back.setFocus(Qt.FocusReason.OtherFocusReason)
        super().hide()
        if self._above is not None and self._above.isVisible():
            self._above.place()

    def dismiss(self) -> bool:
        """Hides the latest message; if two are shown, the one above. False if none is shown."""
        shown = self._above if self._above is not None and self._above.isVisible() else self
        was_shown = shown.isVisible()
        shown.hide()
        return was_shown

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._pointed = True
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pointed = False
        if self.isVisible():
            self._wait()

    def text(self) -> str:
        """The text of the message that is shown or was shown last, without an error's code. If two are shown, that of
        the one above."""
        if self._above is not None and self._above.isVisible():
            return self._above.text()
        return self._text.text()

    def _take_back(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()

    def _do_other(self) -> None:
        self.hide()
        if self._other is not None:
            self._other()

    def place(self) -> None:
        """Moves the message to its place at the foot of the host. Call it when the host shows something else there."""
        self._fit()
        host, area = self._host, self._writing_area()
        left, width, foot = 0, host.width(), host.height() - _FROM_FOOT
        if area is not None and area.isVisible():
            area.installEventFilter(self)  # a field grows while one writes; a second time is the same as once
            at = area.mapTo(host, QPoint(0, 0))
            left, width, foot = at.x(), area.width(), at.y() - _FROM_FIELD
        if self._over is not None and self._over.isVisible():
            foot = self._over.y() - _APART
        x = min(left + (width - self.width()) // 2, host.width() - _APART - self.width())
        self.move(max(0, x), foot - self.height())
        if self._above is not None and self._above.isVisible():
            self._above.place()

    def _fit(self) -> None:
        """Takes the size of the text on one line. If that is wider than the host, the text has several lines."""
        text = self._text
        text.setWordWrap(False)
        text.setMinimumWidth(0)
        text.setMaximumWidth(_WIDEST)
        self.adjustSize()
        excess = self.width() - (self._host.width() - 2 * _APART)
        if excess > 0:
            width = text.sizeHint().width() - excess  # before it wraps, which changes its hint
            text.setWordWrap(True)
            text.setFixedWidth(max(px(_LEAST_PX), width))
            self.adjustSize()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self.isVisible():
            self.place()
        if watched is self._host and event.type() in (QEvent.Type.Show, QEvent.Type.Hide) and not self.isHidden():
            self._wait()
            self.place()  # one that came while the host was hidden knew no other below it
            if self._unheard and event.type() is QEvent.Type.Show:
                QTimer.singleShot(
                    0, self, self._announce_again
                )  # the curtain's pause ends only after the window is shown
        return False


class InfoBar(QFrame):
    """A bar above the content for a state that lasts, such as offline: an icon, a sentence, perhaps a button or two.
    Hidden until `show_state`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = line(spacing=8)
        self._icon = IconLabel("info", "muted", 16)
        self._text, self._code = label("", "small", wrap=True), label("", "code")
        self._button = TextButton("", self._act, kind="link")
        self._other: TextButton | None = None
        """The second button, once a state had one."""
        self._buttons = QWidget()
        self._row = line(self._buttons, spacing=12)
        self._row.addWidget(self._button)
        words.addWidget(self._icon)
        words.addWidget(self._text, 1)
        words.addWidget(self._code)
        column(self, margins=(20, 6, 12, 6)).addWidget(FoldingRow(words, self._buttons, words_px=WORDS_PX))
        self._action: Callable[[], object] | None = None
        self._on_other: Callable[[], object] | None = None
        hold(self, least_height=_BAR_HEIGHT)
        self.hide()

    def show_state(
        self,
        kind: str,
        icon: str,
        text: str,
        action: str = "",
        on_action: Callable[[], object] | None = None,
        *,
        other: tuple[str, Callable[[], object]] | None = None,
        code: str = "",
    ) -> None:
        """Shows a state, `text` with the icon that `icon` names, until `hide()`. `kind`, "info", "warning" or "danger",
        is the look. `on_action` is called by a button with the text `action`; "": there is no button. `other`: the text
        of a second button, and what it calls. `code` is an error's code: it is shown small behind the text."""
        self._code.setText(code_line(code))
        self._code.setVisible(bool(code))
        set_props(self, frame=f"bar-{kind}")
        self._icon.set_icon(icon, "muted" if kind == "info" else kind)
        self._text.setText(text)
        self.setAccessibleName(text)
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self._action = on_action
        self._show_other(other)
        self._buttons.setVisible(bool(action) or other is not None)
        self.show()

    def _show_other(self, other: tuple[str, Callable[[], object]] | None) -> None:
        self._on_other = other[1] if other is not None else None
        if other is not None:
            if self._other is None:
                self._other = TextButton("", self._act_other, kind="link")
                self._row.addWidget(self._other)
            self._other.setText(other[0])
            self._other.setAccessibleName(other[0])
        if self._other is not None:
            self._other.setVisible(other is not None)

    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()

    def code(self) -> str:
        """The line with the code, "" without one."""
        return self._code.text()

    def _act(self) -> None:
        if self._action is not None:
            self._action()

    def _act_other(self) -> None:
        if self._on_other is not None:
            self._on_other()
