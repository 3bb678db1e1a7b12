# SPDX-License-Identifier: EUPL-1.2
"""The list of people to mention shows whether they can be reached, also in a room of more than 100 members: there the
devices of those who are listed are asked."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.enums import Presence
from app.core.ids import Uid
from app.people.person import Person, Verified
from app.presence.asking import AT_ONCE, interval_s
from app.presence.audience import MOST
from app.presence.colleagues import PersonPresence
from tests.app.presence.simulated import Desk, World, room_of, uid_of
from tests.office import EK, HL, RG, Folk
from tests.ui.soon import rested
from ui.chat.text_field import NAMES_SHOWN, TextField
from ui.kit.presence_in_view import KnownPresence, NothingKnown

MEMBERS = MOST + 20
DESKS = 2 * NAMES_SHOWN + 1


class _OneBusy(NothingKnown):
    """The unit manager is busy; nothing is known of others."""

    def of(self, uid: Uid, /) -> PersonPresence | None:
        return PersonPresence(state=Presence.BUSY) if uid == EK else None


def _member(n: int) -> Person:
    name = f"{'Registrator' if n > NAMES_SHOWN else 'Handläggare'} å{n:03} 🙂"
    return Person(
        uid=uid_of(n), name=name, title="", unit="", initials="Å", colour=n % 8, verified=Verified.AGENCY, is_me=n == 0
    )


def _field(qtbot: QtBot, people: list[Person], presence: KnownPresence) -> TextField:
    field = TextField(lambda: people, presence=presence)
    qtbot.addWidget(field)
    field.resize(500, 300)
    field.show()
    field.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    return field


def _large_room(qtbot: QtBot) -> tuple[World, Desk, TextField]:
    """A room of 120 members, the first 15 of them online and the others busy; the field of the first one, who mentions
    somebody else."""
    w = World({room_of(1): [uid_of(n) for n in range(MEMBERS)]})
    desks = [w.desk(n) for n in range(DESKS)]
    w.connect(*desks)
    for desk in desks[1:]:
        desk.service.choose(Presence.BUSY)
    w.time.pass_s(5)
    field = _field(qtbot, [_member(n) for n in range(1, MEMBERS)], desks[0].service)
    return w, desks[0], field


def _rows(field: TextField) -> list[str]:
    assert field.names is not None
    rows = field.names.list
    return [rows.item(at).text() for at in range(rows.count())]


def _asked(w: World, desk: Desk) -> list[Uid]:
    return [w.desks[to].uid for _, uid, to in w.frames if uid == desk.uid and to is not None and to in w.desks]


def test_who_may_be_mentioned_is_listed_with_their_state(qtbot: QtBot) -> None:
    folk = Folk(HL)
    field = _field(qtbot, [folk.person(EK), folk.person(RG)], _OneBusy())
    QTest.keyClicks(field, "@")
    assert sorted(_rows(field)) == ["Enhetschef · Upptagen", "Registrator"]  # of whom nothing is known, nothing is said


def test_in_a_large_room_those_who_are_listed_are_asked_and_their_answers_are_shown(qtbot: QtBot) -> None:
    w, me, field = _large_room(qtbot)
    QTest.keyClicks(field, "@")
    assert not any("Upptagen" in row for row in _rows(field))
    assert field.names is not None
    field.names.take_key(Qt.Key.Key_Down)
    rested(field.window())
    w.time.pass_s(2)
    assert sum("Upptagen" in row for row in _rows(field)) == AT_ONCE
    w.time.pass_s(5)
    assert _rows(field) == [f"Handläggare å{n:03} 🙂 · Upptagen" for n in range(1, NAMES_SHOWN + 1)]
    assert field.names is not None
    assert field.names.list.currentRow() == 1
    assert field.accessibleDescription() == "Handläggare å002 🙂 · Upptagen"
    assert sorted(_asked(w, me)) == [uid_of(n) for n in range(1, NAMES_SHOWN + 1)]


def test_those_who_only_pass_while_a_name_is_typed_are_not_asked(qtbot: QtBot) -> None:
    w, me, field = _large_room(qtbot)
    QTest.keyClicks(field, "@reg")
    rested(field.window())
    w.time.pass_s(2)
    assert _asked(w, me) == [uid_of(n) for n in range(NAMES_SHOWN + 1, NAMES_SHOWN + 1 + AT_ONCE)]


@pytest.mark.parametrize("end", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_nobody_is_asked_once_the_list_is_closed(qtbot: QtBot, end: Qt.Key) -> None:
    w, me, field = _large_room(qtbot)
    QTest.keyClicks(field, "@")
    rested(field.window())
    w.time.pass_s(1)
    QTest.keyClick(field, end)
    assert field.names is None
    w.time.pass_s(3600)
    assert len(_asked(w, me)) == AT_ONCE


def test_a_list_that_is_closed_at_once_asks_nobody(qtbot: QtBot) -> None:
    w, me, field = _large_room(qtbot)
    QTest.keyClicks(field, "@")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    rested(field.window())
    w.time.pass_s(3600)
    assert _asked(w, me) == []


def test_a_list_that_is_opened_again_and_again_asks_each_person_once_in_their_interval(qtbot: QtBot) -> None:
    w, me, field = _large_room(qtbot)
    for _ in range(10):
        QTest.keyClicks(field, "@")
        rested(field.window())
        w.time.pass_s(interval_s(MEMBERS) / 12)
        field.clear()
        assert field.names is None
    assert sorted(_asked(w, me)) == [uid_of(n) for n in range(1, NAMES_SHOWN + 1)]
