# SPDX-License-Identifier: EUPL-1.2
"""A message with Undo can be reached and read in one's own time, by pointer, keyboard and screen reader."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.ui.finding import timer_of
from ui.kit import announcing, theme
from ui.kit.announcing import Announcer
from ui.kit.gathering import PAUSE_S, Kind
from ui.kit.plain import Label
from ui.kit.toast import SHOWN_MS, UNDO_MS, Toast


class Host(QWidget):
    """A window with a field, and a message over it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.announcer = Announcer(self, clock=lambda: self.now)
        self.field = QLineEdit()
        QVBoxLayout(self).addWidget(self.field)
        self.toast = Toast(self)
        self.undone: list[bool] = []

    def show_deleted(self) -> None:
        self.toast.show_text("Kortet är borttaget å 🙂.", lambda: self.undone.append(True))
        QApplication.sendEvent(self.toast, QEvent(QEvent.Type.Leave))  # wherever this machine's pointer is


@pytest.fixture
def host(qtbot: QtBot) -> Host:
    set_language("sv")
    made = Host()
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.field.setFocus()
    return made


def pass_ms(toast: Toast, ms: int) -> None:
    """As if so much time had passed."""
    if timer_of(toast).isActive() and timer_of(toast).interval() <= ms:
        timer_of(toast).timeout.emit()


def enter(toast: Toast) -> None:
    at = QPointF(5, 5)
    QApplication.sendEvent(toast, QEnterEvent(at, at, QPointF(toast.mapToGlobal(QPoint(5, 5)))))


@pytest.mark.parametrize("size", [100, 200])
def test_a_message_wider_than_its_window_has_several_lines(host: Host, qapp: QApplication, size: int) -> None:
    theme.apply(qapp, "light")
    theme.resize(qapp, size, "normal")
    host.resize(700, 600)
    sentence = "Disken är full, så det som ändrades är inte sparat å 🙂."
    host.toast.show_text(f"{sentence} {sentence} {sentence} {sentence}", lambda: None, "Försök igen")
    QApplication.processEvents()
    text = next(each for each in host.toast.findChildren(Label) if each.text().startswith(sentence))
    assert text.height() >= 2 * text.fontMetrics().lineSpacing()
    assert text.height() >= text.heightForWidth(text.width()), "no line is cut off"
    assert host.rect().contains(host.toast.geometry())
    for part in (text, host.toast.undo):
        assert host.toast.rect().contains(part.geometry())
    host.toast.show_text("Kort 🙂", lambda: None, "Försök igen")
    QApplication.processEvents()
    assert not text.wordWrap(), "the next one, which is short, is on one line"
    assert text.width() >= text.sizeHint().width()


def test_it_stays_fifteen_seconds_with_undo_and_seven_without(host: Host) -> None:
    host.show_deleted()
    pass_ms(host.toast, SHOWN_MS)
    assert host.toast.isVisible()
    pass_ms(host.toast, UNDO_MS)
    assert not host.toast.isVisible()
    host.toast.show_text("Länken är kopierad.")
    pass_ms(host.toast, SHOWN_MS)
    assert not host.toast.isVisible()


def test_what_must_be_known_stays_while_its_window_is_hidden(host: Host) -> None:
    """As under the curtain: otherwise nobody would learn that something is lost."""
    host.show_deleted()
    host.hide()
    pass_ms(host.toast, UNDO_MS)
    host.show()
    assert host.toast.isVisible()
    pass_ms(host.toast, UNDO_MS)
    assert not host.toast.isVisible()
    host.hide()
    host.toast.show_text("Den ändrade kopian är borta å 🙂.", kept=True)
    pass_ms(host.toast, UNDO_MS)
    host.show()
    assert host.toast.isVisible()
    assert "borta" in host.toast.text()
    pass_ms(host.toast, SHOWN_MS)
    assert not host.toast.isVisible()
    host.hide()
    host.toast.show_text("Länken är kopierad.")
    pass_ms(host.toast, SHOWN_MS)
    host.show()
    assert not host.toast.isVisible(), "what one need not know does not come back after hours"


def test_what_came_while_its_window_was_hidden_is_read_out_when_it_is_shown(
    host: Host, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    monkeypatch.setattr("ui.kit.toast.announce", lambda _widget, text, kind: announced.append(text))
    host.hide()
    host.toast.show_text("Den ändrade kopian är borta å 🙂.", kept=True)
    announced.clear()
    host.show()
    qtbot.waitUntil(lambda: announced == ["Den ändrade kopian är borta å 🙂."])
    host.hide()
    host.show()
    QApplication.processEvents()
    assert len(announced) == 1


def test_nothing_takes_away_what_waits_to_be_seen(host: Host) -> None:
    """As under the curtain: a link that was copied, or another error, comes while the first one waits."""
    host.hide()
    host.toast.show_text("Filen å 🙂 är inte skickad.", kept=True)
    for text in ("Länken är kopierad.", "Länken är kopierad igen."):
        host.toast.show_text(text)
        for each in host.findChildren(Toast):
            pass_ms(each, UNDO_MS)
    host.show()
    assert texts_of(host) == ["Filen å 🙂 är inte skickad."]
    host.hide()
    host.toast.show_text("Filen ö är inte skickad.", kept=True)
    host.toast.show_text("Länken är kopierad.")
    host.show()
    assert host.toast.text() == "Filen ö är inte skickad."
    assert texts_of(host) == ["Filen å 🙂 är inte skickad.", "Filen ö är inte skickad."]


def test_an_error_that_can_be_tried_again_takes_away_no_other_that_waits_to_be_seen(host: Host) -> None:
    host.hide()
    host.toast.show_text("Filen å 🙂 är inte skickad.", code="file-gone", kept=True)
    again: list[bool] = []
    for _ in range(3):
        host.toast.show_text("Kortet är inte sparat.", lambda: again.append(True), "Försök igen", kept=True)
    host.show()
    assert texts_of(host) == ["Kortet är inte sparat.", "Filen å 🙂 är inte skickad."]
    QTest.mouseClick(host.toast.undo, Qt.MouseButton.LeftButton)
    assert again == [True]


def texts_of(host: Host) -> list[str]:
    """The sentences that are shown, from the lowest message up."""
    shown = [each for each in host.findChildren(Toast) if each.isVisible()]
    assert len({each.y() for each in shown}) == len(shown), "none covers another"
    return [each._text.text() for each in sorted(shown, key=lambda each: -each.y())]


def test_it_stays_while_the_pointer_is_on_it(host: Host) -> None:
    host.show_deleted()
    enter(host.toast)
    pass_ms(host.toast, 10 * UNDO_MS)
    assert host.toast.isVisible()
    QApplication.sendEvent(host.toast, QEvent(QEvent.Type.Leave))
    assert timer_of(host.toast).remainingTime() > UNDO_MS - 1000, "it has its whole time again"
    pass_ms(host.toast, UNDO_MS)
    assert not host.toast.isVisible()


def test_it_stays_while_the_focus_is_in_it_and_gives_it_back(host: Host) -> None:
    host.show_deleted()
    QTest.keyClick(host.field, Qt.Key.Key_Tab)
    assert host.focusWidget() is host.toast.undo
    pass_ms(host.toast, 10 * UNDO_MS)
    assert host.toast.isVisible()
    QTest.keyClick(host.toast.undo, Qt.Key.Key_Space)
    assert host.undone == [True]
    assert not host.toast.isVisible()
    assert host.focusWidget() is host.field
    host.show_deleted()
    QTest.keyClick(host.field, Qt.Key.Key_Tab)
    host.field.setFocus()
    pass_ms(host.toast, UNDO_MS)
    assert not host.toast.isVisible()


def test_it_is_announced(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    sentence: list[tuple[str, QAccessible.AnnouncementPoliteness]] = []

    class Reader:
        """What a screen reader's bridge is given."""

        AnnouncementPoliteness = QAccessible.AnnouncementPoliteness

        @staticmethod
        def updateAccessibility(event: QAccessibleAnnouncementEvent) -> None:
            sentence.append((event.message(), event.politeness()))

    monkeypatch.setattr(announcing, "QAccessible", Reader)
    host.show_deleted()
    host.now += PAUSE_S
    host.toast.show_text("Länken är kopierad.")
    polite = QAccessible.AnnouncementPoliteness.Polite
    assert sentence == [
        ("Kortet är borttaget å 🙂. Det går att ångra.", polite),
        ("Länken är kopierad.", polite),
    ]


def test_another_action_than_undo_says_what_it_does(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[tuple[str, Kind]] = []
    monkeypatch.setattr("ui.kit.toast.announce", lambda _widget, text, kind: announced.append((text, kind)))
    shown: list[bool] = []
    host.toast.show_text("Filtret visar den inte", lambda: shown.append(True), "Visa alla")
    button = host.toast.undo
    assert button.accessibleName() == button.text() == "Visa alla"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert shown == [True]
    host.show_deleted()
    assert button.accessibleName() == button.text() == "Ångra"
    host.toast.show_text("Länken är kopierad.")
    host.toast.show_text("Servern svarar inte.", kept=True)
    assert announced == [
        ("Filtret visar den inte", Kind.KEPT),
        ("Kortet är borttaget å 🙂. Det går att ångra.", Kind.KEPT),
        ("Länken är kopierad.", Kind.DONE),
        ("Servern svarar inte.", Kind.KEPT),
    ]


def above(host: Host) -> Toast:
    """The message that is shown above the one with Undo."""
    (found,) = [each for each in host.findChildren(Toast) if each.isVisible() and each is not host.toast]
    QApplication.sendEvent(found, QEvent(QEvent.Type.Leave))  # wherever this machine's pointer is
    return found


def test_a_message_without_undo_takes_no_undo_away(host: Host) -> None:
    host.show_deleted()
    host.toast.show_text("Inget är arkiverat å.")
    assert host.toast.isVisible()
    info = above(host)
    assert info.text() == host.toast.text() == "Inget är arkiverat å."
    assert info.y() + info.height() < host.toast.y(), "it covers nothing of it"
    assert not info.undo.isVisible()
    assert [each.accessibleDescription() for each in (host.toast._close, info._close)] == [
        "Kortet är borttaget å 🙂.",
        "Inget är arkiverat å.",
    ]
    pass_ms(info, SHOWN_MS)
    assert not info.isVisible()
    pass_ms(host.toast, SHOWN_MS)
    assert host.toast.isVisible(), "it has its fifteen seconds"
    QTest.mouseClick(host.toast.undo, Qt.MouseButton.LeftButton)
    assert host.undone == [True]


def test_an_error_takes_no_undo_away_either_and_another_undo_does(host: Host) -> None:
    host.show_deleted()
    host.toast.show_text("Servern svarar inte.", code="offline", kept=True)
    assert host.toast.undo.isVisible()
    again: list[bool] = []
    host.toast.show_text("Kortet är arkiverat.", lambda: again.append(True))
    QTest.mouseClick(host.toast.undo, Qt.MouseButton.LeftButton)
    assert (host.undone, again) == ([], [True])


def test_the_latest_message_is_closed_first_and_the_other_stands_at_its_place(host: Host) -> None:
    host.show_deleted()
    host.toast.show_text("Inget är arkiverat å.")
    info, foot = above(host), host.toast.y() + host.toast.height()
    assert host.toast.dismiss()
    assert not info.isVisible()
    assert host.toast.isVisible()
    host.toast.show_text("Inget är arkiverat å.")
    host.resize(host.width(), host.height() + 40)
    assert info.y() + info.height() < host.toast.y()
    host.resize(host.width(), host.height() - 40)
    QTest.mouseClick(host.toast._close, Qt.MouseButton.LeftButton)
    assert info.y() + info.height() == foot
    assert host.toast.dismiss()
    assert not host.toast.dismiss()


def test_a_message_after_undo_is_gone_stands_alone(host: Host) -> None:
    host.show_deleted()
    host.toast.show_text("Inget är arkiverat å.")
    info = above(host)
    pass_ms(host.toast, UNDO_MS)
    host.toast.show_text("Länken är kopierad.")
    assert not info.isVisible()
    assert host.toast.text() == "Länken är kopierad."
    assert not host.toast.undo.isVisible()
