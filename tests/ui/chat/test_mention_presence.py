# SPDX-License-Identifier: EUPL-1.2
"""The list of people to mention shows whether they can be reached."""

from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.enums import Presence
from app.core.ids import Uid
from app.presence.colleagues import PersonPresence
from tests.office import EK, HL, RG, Folk
from ui.chat.text_field import TextField


def test_who_may_be_mentioned_is_listed_with_their_state(qtbot: QtBot) -> None:
    folk = Folk(HL)

    def of(uid: Uid) -> PersonPresence | None:
        return PersonPresence(state=Presence.BUSY) if uid == EK else None

    field = TextField(lambda: [folk.person(EK), folk.person(RG)], presence_of=of)
    qtbot.addWidget(field)
    field.resize(500, 300)
    field.show()
    field.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, "@")
    assert field.names is not None
    rows = field.names.list
    texts = [rows.item(at).text() for at in range(rows.count())]
    assert sorted(texts) == ["Enhetschef · Upptagen", "Registrator"]  # of whom nothing is known, nothing is said
