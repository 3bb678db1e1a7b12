# SPDX-License-Identifier: EUPL-1.2
"""Making a recovery sheet: shown once and typed back, on paper, and in force at a real server."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QApplication, QDialog, QLabel
from pytestqt.qtbot import QtBot

from app.core.files import Draft
from app.core.i18n import set_language
from app.errors import DiskFull, FileUnreadable
from app.recovery import Recovery, RecoverySheetState
from app.session import Session
from sync.client.status import LinkState
from sync.errors import Reject
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.ui.shell.opened_office import open_account
from tests.ui.walking import check, check_tab
from tests.world import Client, World, until
from ui.kit import printing, qr
from ui.shell.settings import recovery_sheet_dialog, recovery_sheet_paper
from ui.shell.settings.recovery_card import RecoveryCard
from ui.shell.settings.recovery_sheet_dialog import RecoverySheetDialog, chosen_groups

SECRET = b"\x01" * 17
"""Of a code with zeros in its groups: 8104-0G20-8104-0G20-8104-0G20-8133."""


@pytest_asyncio.fixture
async def client(w: World) -> Client:
    """A person with a new account, who is online."""
    (found,) = await w.hire("Handläggare")
    return found


@pytest.fixture
def recovery(client: Client, session: Session) -> Recovery:
    return Recovery(client.engine, session.people, session.settings, session.store.db)


@pytest.fixture
def offline(tmp_path: Path) -> Recovery:
    """Of a person with a new account, on a computer without a network."""
    return open_account(tmp_path, RecoverySheetState.NONE).recovery


def dialog_of(qtbot: QtBot, recovery: Recovery) -> RecoverySheetDialog:
    made = RecoverySheetDialog(None, recovery, [1, 4])
    qtbot.addWidget(made)
    made.show()
    return made


# -- making one -----------------------------------------------------------------------------------------------------


def type_back(dialog: RecoverySheetDialog) -> None:
    """Goes to the last page, types what is asked for, and goes on."""
    dialog.accept()
    for field, at in zip(dialog.typed, (1, 4), strict=True):
        field.setText(dialog.paper.groups[at])
    dialog.accept()


async def in_force(dialog: RecoverySheetDialog, recovery: Recovery) -> None:
    """Until the dialog has closed; then its sheet is the person's."""
    await until(lambda: not dialog.isVisible())
    recovery.check_old(dialog.paper.code)
    assert recovery.state is RecoverySheetState.STANDS


async def test_nothing_is_published_before_two_groups_are_typed_back(
    qtbot: QtBot, recovery: Recovery, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecoveryCode, "fresh", lambda: RecoveryCode(SECRET))
    dialog = dialog_of(qtbot, recovery)
    assert dialog.page == 1
    dialog.accept()
    assert not dialog.accept_button.isEnabled()
    dialog.typed[0].setText("0G20")
    dialog.typed[1].setText("8105")
    dialog.accept()
    assert dialog.error.isVisible()
    assert not recovery.waits(dialog.paper)
    assert recovery.state is RecoverySheetState.NONE
    dialog.typed[0].setText(" og2o ")  # read as the sheet means it
    dialog.typed[1].setText("8l04")
    dialog.accept()
    await in_force(dialog, recovery)


async def test_without_printing_the_recovery_sheet_is_copied_by_hand_and_still_made(
    qtbot: QtBot, recovery: Recovery
) -> None:
    dialog = RecoverySheetDialog(None, recovery, [1, 4], printing=False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.print_button.isVisible()
    assert not dialog.save_button.isVisible()
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert set(dialog.paper.groups) <= set(shown)
    assert any("Din organisation har stängt av utskrift" in text for text in shown)
    type_back(dialog)
    await in_force(dialog, recovery)


@pytest.mark.parametrize("allowed", [True, False])
async def test_whether_a_recovery_sheet_may_be_printed_is_policys(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    made: list[RecoverySheetDialog] = []

    async def keep(dialog: RecoverySheetDialog) -> bool:
        made.append(dialog)
        return False

    monkeypatch.setattr("ui.shell.settings.recovery_card.show", keep)
    card = RecoveryCard(open_account(tmp_path, RecoverySheetState.NONE, {"allow-print": allowed}))
    qtbot.addWidget(card)
    card.make()
    await until(lambda: bool(made))
    assert made[0].print_button.isVisibleTo(made[0]) is allowed
    assert made[0].save_button.isVisibleTo(made[0]) is allowed


def test_the_code_is_shown_once_and_not_while_it_is_typed_back(qtbot: QtBot, offline: Recovery) -> None:
    dialog = dialog_of(qtbot, offline)
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert set(dialog.paper.groups) <= set(shown)
    dialog.accept()
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert not set(dialog.paper.groups) & set(shown)


async def test_another_recovery_sheet_asks_for_the_one_before(
    qtbot: QtBot, w: World, client: Client, recovery: Recovery
) -> None:
    before = await w.make_sheet(client)
    dialog = dialog_of(qtbot, recovery)
    assert dialog.page == 0
    assert not dialog.accept_button.isEnabled()
    for wrong, code in (("fel", "code"), (recovery.draw().code, "recovery-sheet")):
        dialog.old.field.setText(wrong)
        dialog.accept()
        assert code in dialog.error.text()
        assert dialog.page == 0
    dialog.old.field.setText(before)
    dialog.accept()
    type_back(dialog)
    await in_force(dialog, recovery)
    with pytest.raises(Reject):
        recovery.check_old(before)


async def test_a_recovery_sheet_that_could_not_be_published_says_why_and_may_be_tried_again(
    qtbot: QtBot, client: Client, recovery: Recovery
) -> None:
    await client.offline()
    dialog = dialog_of(qtbot, recovery)
    type_back(dialog)
    await until(lambda: dialog.error.isVisible())
    assert "unreachable" in dialog.error.text()
    assert recovery.state is RecoverySheetState.NONE
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE)
    dialog.accept()
    await in_force(dialog, recovery)


async def test_a_recovery_sheet_that_comes_into_force_is_not_called_off_and_is_kept_if_the_answer_is_lost(
    qtbot: QtBot, client: Client, recovery: Recovery
) -> None:
    lost: list[bytes] = []

    def lose(frame: bytes, sent: bool) -> Sequence[bytes]:
        if not sent and dialog.isVisible():
            lost.append(frame)
            return []
        return [frame]

    dialog = dialog_of(qtbot, recovery)
    dialog.hide()
    await client.offline()
    client.wire.spoil = lose
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE)
    dialog.show()
    type_back(dialog)
    await until(lambda: bool(lost))
    assert not any(button.isEnabled() for button in dialog.buttons.buttons())
    dialog.reject()
    dialog.close()
    assert dialog.isVisible()
    await client.offline()
    await until(lambda: dialog.error.isVisible())
    assert "Behåll bladet: det börjar gälla av sig självt." in dialog.error.text()
    dialog.reject()
    assert not dialog.isVisible()
    client.online()
    await until(lambda: recovery.state is RecoverySheetState.STANDS)
    recovery.check_old(dialog.paper.code)


def test_which_groups_are_asked_is_not_foreseen() -> None:
    drawn = [tuple(chosen_groups(7)) for _ in range(200)]
    assert all(len(set(pair)) == 2 and sorted(pair) == list(pair) and max(pair) < 7 for pair in drawn)
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("page", [0, 1, 2])
def test_every_control_of_the_recovery_sheet_has_a_name_and_a_role(qtbot: QtBot, offline: Recovery, page: int) -> None:
    dialog = dialog_of(qtbot, offline)
    dialog._go(page)
    check(dialog)
    check_tab(dialog)


# -- on paper -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_recovery_sheet_on_paper_is_one_page_and_its_code_reads(
    qapp: QApplication, offline: Recovery, tmp_path: Path, language: str
) -> None:
    paper = offline.draw()
    picture = QImage(QSize(1004, 1518), QImage.Format.Format_RGB32)  # A4 within its margins, 150 dpi
    picture.setDotsPerMeterX(5906)
    picture.setDotsPerMeterY(5906)
    picture.fill(Qt.GlobalColor.white)
    set_language(language)
    try:
        raw = recovery_sheet_paper.pdf(paper)
        assert recovery_sheet_paper.draw(paper, picture)
    finally:
        set_language("sv")
    assert raw.startswith(b"%PDF")
    assert raw.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 595" in raw
    assert qr.read(picture) == [paper.code]
    edges = [picture.pixelColor(x, 1510).lightness() for x in range(1004)]
    edges += [picture.pixelColor(1003, y).lightness() for y in range(700, 1518)]
    assert min(edges) == 255  # nothing runs off the page


def found(folder: Path) -> list[str]:
    """The PDFs there, also unfinished ones."""
    return [path.name for path in folder.iterdir() if path.suffix in (".pdf", ".part")]


async def test_a_recovery_sheet_that_cannot_be_written_leaves_the_file_that_was_there(
    offline: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "blad å 🙂.pdf"
    target.write_bytes(b"the sheet before")

    def refuse(draft: Draft, **_: object) -> None:
        assert len(found(tmp_path)) == 2
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Draft, "keep", refuse)
    with pytest.raises(DiskFull):
        await offline.save(target, b"%PDF")
    assert found(tmp_path) == [target.name]
    assert target.read_bytes() == b"the sheet before"


async def test_a_recovery_sheet_is_not_saved_in_a_folder_that_is_gone_and_the_dialog_says_so(
    qtbot: QtBot, offline: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileUnreadable):
        await offline.save(tmp_path / "finns inte" / "blad.pdf", b"%PDF")
    dialog = dialog_of(qtbot, offline)

    async def chosen(*_: object) -> Path:
        return tmp_path / "finns inte" / "blad.pdf"

    monkeypatch.setattr(recovery_sheet_dialog, "save_file", chosen)
    dialog.save_button.click()
    await until(lambda: "file-unreadable" in dialog.error.text())
    assert dialog.kept.text() == ""


async def test_what_a_kill_left_of_a_recovery_sheet_is_known_to_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_account(tmp_path, RecoverySheetState.NONE)
    noted: list[object] = []
    keep, count = Draft.keep, "SELECT count(*) FROM meta WHERE name LIKE 'saving-%'"

    def look(draft: Draft, *, foreign: bool = False) -> None:
        noted.append(session.store.db.value(count))
        keep(draft, foreign=foreign)

    monkeypatch.setattr(Draft, "keep", look)
    await session.recovery.save(tmp_path / "blad.pdf", b"%PDF")
    assert noted == [1]
    assert session.store.db.value(count) == 0


def test_a_device_that_refuses_what_was_drawn_is_noticed(offline: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = QImage(QSize(1004, 1518), QImage.Format.Format_RGB32)
    end = QPainter.end
    monkeypatch.setattr(QPainter, "end", lambda painter: end(painter) and False)
    assert not recovery_sheet_paper.draw(offline.draw(), picture)


async def test_the_printed_recovery_sheet_is_not_named_to_the_print_server_nor_its_folder_to_the_disk(
    qtbot: QtBot, offline: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise everybody who sees the list of jobs would know which one to fetch."""
    dialog, kept, names = dialog_of(qtbot, offline), list[bool](), list[str]()

    async def answer(asked: QDialog) -> bool:
        assert isinstance(asked, QPrintDialog)
        names.append(asked.printer().docName())
        asked.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        asked.printer().setOutputFileName(str(tmp_path / "blad å.pdf"))
        return True

    monkeypatch.setattr(printing, "keep_no_places", lambda: kept.append(True))
    monkeypatch.setattr(recovery_sheet_dialog, "show", answer)
    dialog.print_button.click()
    await until(lambda: bool(dialog.kept.text()))
    assert (names, kept) == (["Dokument"], [True])
    assert (tmp_path / "blad å.pdf").read_bytes().startswith(b"%PDF")


async def test_it_is_saved_where_the_person_says(
    qtbot: QtBot, offline: Recovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = dialog_of(qtbot, offline)

    async def chosen(*_: object) -> Path:
        return tmp_path / "blad.pdf"

    monkeypatch.setattr(recovery_sheet_dialog, "save_file", chosen)
    dialog.save_button.click()
    await until(lambda: bool(dialog.kept.text()))
    assert (tmp_path / "blad.pdf").read_bytes().startswith(b"%PDF")
