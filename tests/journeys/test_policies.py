# SPDX-License-Identifier: EUPL-1.2
"""Policies on a desk with an account: too long without the server, a forbidden way of unlocking, nothing saved."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from pytestqt.qtbot import QtBot

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState
from app.devices.contact import DAY_MS, LAST_CONTACT
from app.documents.errors import PrintOff
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import ExportOff
from app.store.keyslots import SlotKind
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.memory_keyring import MemoryKeyring
from tests.world import until
from ui.program import Program
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.window.away import AwayView

pytestmark = pytest.mark.slow
NEW = "fyra helt nya ord å"


async def away_for(desk: Desk, days: int) -> None:
    """The desk is closed, and was last in touch so long ago."""
    await desk.close()
    desk.reopen()
    desk.session = await desk.office.unlock(PASSPHRASE)
    notes = desk.session.store.notes
    await desk.online()
    notes.set(LAST_CONTACT, str(clock.now_ms() - days * DAY_MS))
    await desk.close()


async def test_content_is_shown_only_after_the_server_has_let_the_device_in(o: Offices, qtbot: QtBot) -> None:
    (desk,) = await o.hire("Handläggare")
    assert not desk.session.overdue
    desk.policy = {"offline-days": 30}
    await away_for(desk, 31)
    await o.w.stop_server()
    await desk.begin_offline()
    assert desk.session.overdue
    program = Program(desk.office)
    try:
        program._open(desk.session)
        view = program.stage.gate.centralWidget() if program.stage.gate is not None else None
        assert isinstance(view, AwayView)
        assert program.stage.window is None
        await until(lambda: desk.session.status.state is LinkState.OFFLINE)
        assert program.stage.window is None
        await o.w.start_server()
        view.again.click()
        await desk.online()
        assert not desk.session.overdue
        qtbot.waitUntil(lambda: program.stage.window is not None)
    finally:
        await program.ending.close()


async def test_within_the_limit_everything_opens_without_the_server(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    desk.policy = {"offline-days": 30}
    await away_for(desk, 29)
    await o.w.stop_server()
    await desk.begin_offline()
    assert not desk.session.overdue
    await o.w.start_server()


async def test_a_new_device_is_not_overdue_before_its_first_sync(o: Offices) -> None:
    desk = o.place("Handläggare")
    desk.policy = {"offline-days": 1}
    desk.office.renew_policy()
    found = await desk.office.look_up(desk.server, await o.w.invite("Handläggare"))
    desk.session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    assert not desk.session.overdue
    await desk.online()


@pytest.fixture
def key_store() -> Iterator[None]:
    """The computer's key store, in memory."""
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("key_store")
async def test_a_way_that_was_forbidden_since_is_replaced_before_anything_is_shown(o: Offices, qtbot: QtBot) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    await desk.close()
    desk.policy = {"allow-passphrase": False}
    desk.reopen()
    program = Program(desk.office)
    view = program._entry_views.usual()
    qtbot.addWidget(view)
    assert isinstance(view, NewUnlockMethodView)
    desk.session = await desk.office.replace(PASSPHRASE, None)
    assert desk.office.kinds() == [SlotKind.KEYRING]
    assert desk.office.unlocking.forbidden is None
    assert room in [r.room for r in desk.session.rooms.rooms()]
    await desk.online()


async def test_no_file_leaves_the_program_where_policy_says_so(o: Offices, tmp_path: Path) -> None:
    (desk,) = await o.hire("Handläggare")
    room = await o.room(desk)
    path = tmp_path / "Bilaga å.pdf"
    path.write_bytes(b"%PDF")
    await desk.session.service(CHAT).send_file(room, [path], "Här")
    desk.policy = {"allow-export": False}
    desk.office.renew_policy()
    message = desk.session.service(CHAT).timeline(room).message(0)
    with pytest.raises(ExportOff):
        await desk.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "hem.pdf")
    assert not (tmp_path / "hem.pdf").exists()
    desk.policy = {}
    desk.office.renew_policy()
    await desk.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "hem.pdf")
    assert (tmp_path / "hem.pdf").read_bytes() == b"%PDF"


async def test_no_document_leaves_the_program_where_policy_says_so(o: Offices, tmp_path: Path) -> None:
    (desk,) = await o.hire("Handläggare")
    files, obj = (
        desk.session.service(DOCUMENTS).files,
        desk.session.service(DOCUMENTS).create(await o.room(desk), "Beslut å"),
    )
    desk.policy = {"allow-export": False}
    desk.office.renew_policy()
    with pytest.raises(ExportOff):
        await files.export_docx(obj, tmp_path / "hem.docx")
    files.check_print()
    desk.policy = {"allow-print": False}
    desk.office.renew_policy()
    with pytest.raises(PrintOff):
        files.check_print()
    with pytest.raises(PrintOff):
        files.check_pdf()
    assert not (tmp_path / "hem.docx").exists()
    await files.export_docx(obj, tmp_path / "hem.docx")
    assert (tmp_path / "hem.docx").read_bytes().startswith(b"PK")
