# SPDX-License-Identifier: EUPL-1.2
"""A view that shows people's presence has them asked while it is visible."""

import re
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import Uid
from tests.ui.finding import timer_of
from tests.ui.soon import rested
from ui.kit.presence_in_view import NothingKnown, PresenceInView

ONE, OTHER = Uid(b"1" * 16), Uid(b"2" * 16)
UI = Path(__file__).parents[3] / "ui"
READ, ASKS = re.compile(r"\b_?presence\.of\("), re.compile(r"\b(PresenceInView|PresenceLine)\(")


class _Noted(NothingKnown):
    """Notes which people are shown, over all views."""

    def __init__(self) -> None:
        super().__init__()
        self.views: dict[Hashable, list[Uid]] = {}

    def show(self, view: Hashable, uids: Sequence[Uid], /) -> None:
        self.views[view] = list(uids)

    @property
    def asked(self) -> list[Uid]:
        return [uid for uids in self.views.values() for uid in uids]


@pytest.fixture
def view(qapp: QApplication) -> Iterator[QWidget]:
    """A part of a window that is shown."""
    window = QWidget()
    made = QWidget(window)
    window.show()
    yield made
    window.close()


def test_people_are_asked_while_the_view_is_visible(view: QWidget) -> None:
    presence = _Noted()
    asking = PresenceInView(view, presence)
    view.hide()
    asking.show([ONE])
    rested(view)
    assert presence.asked == []
    view.show()
    rested(view)
    assert presence.asked == [ONE]
    asking.show([OTHER])
    assert presence.asked == [ONE]  # not yet
    rested(view)
    assert presence.asked == [OTHER]
    view.window().hide()
    assert presence.asked == []
    view.window().show()
    rested(view)
    assert presence.asked == [OTHER]


def test_a_refresh_with_the_same_people_does_not_put_off_asking_them(view: QWidget) -> None:
    asking = PresenceInView(view, _Noted())
    view.show()
    rested(view)
    asking.show([ONE])
    timer_of(asking).stop()
    asking.show([ONE])
    assert not timer_of(asking).isActive()


def test_nobody_is_asked_for_a_view_that_is_gone(qtbot: QtBot, view: QWidget) -> None:
    presence = _Noted()
    asking = PresenceInView(view, presence)
    asking.show([ONE])
    view.show()
    rested(view)
    assert presence.asked == [ONE]
    with qtbot.waitSignal(view.destroyed):
        view.deleteLater()
    assert presence.asked == []


def test_each_view_that_reads_presence_asks_for_it() -> None:
    silent = [
        path.relative_to(UI).as_posix()
        for path in UI.rglob("*.py")
        if READ.search(text := path.read_text(encoding="utf-8")) and not ASKS.search(text)
    ]
    assert silent == []
