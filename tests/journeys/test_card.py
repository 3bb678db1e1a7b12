# SPDX-License-Identifier: EUPL-1.2
"""A smart card on a desk with an account: added beside the passphrase, then the only way in, by policy's library."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.lock_settings import CARD_MODULE
from app.store.keyslots import SlotKind
from app.unlocking import CardPin, KeyChange
from tests.journeys.desks import PASSPHRASE, Offices
from tests.soft_card import MODULE, PIN, SoftCard, needs_softhsm
from tests.world import until
from ui.program import Program
from ui.shell.entry.unlock import UnlockView

pytestmark = pytest.mark.slow


@needs_softhsm
async def test_the_card_opens_the_office(
    o: Offices, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soft_card = SoftCard(tmp_path / "reader", monkeypatch)
    soft_card.make("p256")
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    desk.policy = {CARD_MODULE.key: MODULE}
    desk.office.renew_policy()
    keys = desk.office.unlocking
    (card,) = await keys.cards()
    await keys.add_card(PASSPHRASE, card, PIN)
    await desk.close()
    desk.reopen()
    desk.session = await desk.office.rekey(
        KeyChange(current=await desk.office.unlocking.unlock_card(CardPin(PIN)), remove=SlotKind.PASSPHRASE)
    )
    await desk.close()
    desk.reopen()
    desk.office.unlocking.note_covered()  # as if the program had ended under a curtain
    view = Program(desk.office)._entry_views.usual()
    qtbot.addWidget(view)
    assert isinstance(view, UnlockView)
    part = view.card_part
    assert part is not None
    assert view.field is None
    opened: list[object] = []
    view.unlocked.disconnect()
    view.unlocked.connect(opened.append)
    view.show()
    part.button.click()
    await until(part.card.field.isVisible)
    part.card.field.setText(PIN)
    part.use_button.click()
    await until(lambda: bool(opened))
    (desk.session,) = opened  # type: ignore[assignment]
    assert room in [r.room for r in desk.session.rooms.rooms()]
    assert not desk.office.profile.covered_path.exists()
    await desk.online()
