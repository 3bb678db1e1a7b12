# SPDX-License-Identifier: EUPL-1.2
"""Qt's accessibility tree in tests: what its bridges read, without a bus."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QWidget

from ui.kit import announcing

Role = QAccessible.Role
Name, Description = QAccessible.Text.Name, QAccessible.Text.Description


def listening() -> Iterator[None]:
    """As while a screen reader runs; a fixture yields from it."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def face(thing: QObject) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(thing)
    assert found is not None
    return found


def child(above: QAccessibleInterface, number: int) -> QAccessibleInterface:
    found = above.child(number)
    assert found is not None
    return found


def walk(found: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """An object and everything in it that can be seen."""
    yield found
    for number in range(found.childCount()):
        inside = found.child(number)
        if inside is not None and not inside.state().invisible:
            yield from walk(inside)


def focused(window: QWidget) -> list[str]:
    """Everything that reports that it has the focus."""
    return [f"{f.role().name} {f.text(Name)}" for f in walk(face(window)) if f.state().focused]


def press(found: QAccessibleInterface) -> None:
    """Does the first action of an object."""
    actions = found.actionInterface()
    assert actions is not None
    actions.doAction(actions.actionNames()[0])


def announced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is announced from now on."""
    spoken: list[str] = []

    class Reader:
        """What a screen reader's bridge is given."""

        AnnouncementPoliteness = QAccessible.AnnouncementPoliteness

        @staticmethod
        def updateAccessibility(event: QAccessibleEvent) -> None:
            assert isinstance(event, QAccessibleAnnouncementEvent)
            assert event.politeness() == QAccessible.AnnouncementPoliteness.Polite
            spoken.append(event.message())

    monkeypatch.setattr(announcing, "QAccessible", Reader)
    return spoken
