# SPDX-License-Identifier: EUPL-1.2
"""What somebody was writing in a chat is there again: after an edit, an answer, files that failed, and a lock."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.drafts import Draft
from app.chat.model import Message
from app.chat.records import MAX_ATTACHMENTS
from app.core.ids import ChangeId
from app.errors import BugError, NotFound
from app.objects.files import Pasted, Source
from tests.office import ROOM, Desk
from tests.ui.chat.test_view import last, write
from tests.world import until
from ui.chat.composer import Written
from ui.chat.view import ChatView
from ui.errors import sentence_of
from ui.kit.tasks import Again


def message(view: ChatView, change_id: ChangeId) -> Message:
    index = view.model.timeline.index_of(change_id)
    assert index is not None
    return view.model.timeline.message(index)


def reopened(view: ChatView, qtbot: QtBot) -> ChatView:
    view.keep_draft()
    again = ChatView(view._service, ROOM)
    qtbot.addWidget(again)
    return again


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_what_was_written_is_there_again_after_an_edit(view: ChatView, hl: Desk, key: Qt.Key, tmp_path: Path) -> None:
    sent = hl.chat.send(ROOM, "Fel ord å")
    answered = message(view, hl.chat.send(ROOM, "Frågan"))
    (tmp_path / "fil.txt").write_text("å")
    view.composer.reply(answered, "Handläggare")
    write(view, "Halv mening 🙂")
    view.composer.add_files([tmp_path / "fil.txt"])
    view.message_actions.act(message(view, sent), "edit")
    assert view.composer.text == "Fel ord å"
    write(view, "!")
    QTest.keyClick(view.composer.field, key)
    assert message(view, sent).text == ("Fel ord å!" if key == Qt.Key.Key_Return else "Fel ord å")
    assert view.composer.text == "Halv mening 🙂"
    assert view.composer.replies_to == answered
    assert view.composer.files == [tmp_path / "fil.txt"]


def test_a_change_that_was_begun_is_there_after_an_answer_and_after_another_change(view: ChatView, hl: Desk) -> None:
    one, two = (message(view, hl.chat.send(ROOM, text)) for text in ("Ett å", "Två"))
    write(view, "Nytt")
    view.composer.edit(one)
    write(view, "!")
    view.composer.edit(one)
    assert view.composer.text == "Ett å!"
    view.composer.edit(two)
    assert view.composer.text == "Två"
    view.composer.reply(two, "Handläggare")
    assert view.composer.text == "Nytt"
    view.composer.edit(one)
    assert view.composer.text == "Ett å!"


def test_a_draft_and_a_change_are_both_there_when_the_view_is_opened_again(
    view: ChatView, hl: Desk, qtbot: QtBot
) -> None:
    sent = message(view, hl.chat.send(ROOM, "Fel ord å"))
    view.composer.reply(sent, "Handläggare")
    write(view, "Halv mening 🙂")
    view.composer.edit(sent)
    write(view, "!")
    again = reopened(view, qtbot)
    assert again.composer.text == "Fel ord å!"
    assert again.composer.edits == sent
    again.composer.cancel()
    assert again.composer.text == "Halv mening 🙂"
    assert again.composer.replies_to == sent


def test_the_text_of_a_change_is_kept_though_the_message_was_deleted(view: ChatView, hl: Desk, qtbot: QtBot) -> None:
    hl.chat.send(ROOM, "Fel ord å")
    write(view, "Halv mening 🙂")
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view.list, Qt.Key.Key_R)
    write(view, "!")
    assert view.composer.text == "Fel ord å!"
    hl.chat.delete(ROOM, view.model.timeline.message(0).change_id)  # as on another computer of one's own
    again = reopened(view, qtbot)
    assert again.composer.edits is None
    assert again.composer.text == "Halv mening 🙂\nFel ord å!"
    again.composer.submit()
    assert last(again) == "Halv mening 🙂\nFel ord å!"


def test_a_draft_that_another_device_changed_is_shown_unless_something_is_typed_here(view: ChatView, hl: Desk) -> None:
    sent = message(view, hl.chat.send(ROOM, "Fel ord å"))

    def change_elsewhere(text: str) -> None:
        hl.chat.keep_draft(ROOM, Draft(text=text))
        hl.chat.draft_changed.emit(ROOM)

    change_elsewhere("På den andra datorn å")
    assert view.composer.text == "På den andra datorn å"
    write(view, " och här 🙂")
    change_elsewhere("Därborta")
    assert view.composer.text == "På den andra datorn å och här 🙂"
    view.keep_draft()
    view.composer.edit(sent)
    view.keep_draft()
    change_elsewhere("Därborta")
    assert view.composer.text == "Fel ord å"
    assert view.composer.edits == sent


def sending_waits(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Files are being sent until the event is set."""
    go_on = asyncio.Event()

    async def wait(*_: object, **__: object) -> None:
        await go_on.wait()

    monkeypatch.setattr(hl.chat, "send_file", wait)
    return go_on


def attach(view: ChatView, file: Path) -> None:
    """Pastes a file, copied in a file manager, into the field."""
    copied = QMimeData()
    copied.setUrls([QUrl.fromLocalFile(str(file))])
    QApplication.clipboard().setMimeData(copied)
    QTest.keyClick(view.composer.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


@pytest.mark.parametrize("then", ["attached", "sent"])
async def test_a_chat_opens_though_a_file_is_attached_or_sent_again_while_it_is_being_sent(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot, then: str
) -> None:
    go_on = sending_waits(hl, monkeypatch)
    file = tmp_path / "bilaga å.txt"
    file.write_text("å")
    attach(view, file)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    await until(lambda: len(view.drafting.sending) == 1)
    attach(view, file)
    if then == "sent":
        QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
        await until(lambda: len(view.drafting.sending) == 2)
    assert reopened(view, qtbot).composer.files == [file]
    hl.chat.keep_draft(ROOM, Draft(files=(str(file), str(file))))  # as it was stored before
    again = ChatView(hl.chat, ROOM)
    qtbot.addWidget(again)
    assert again.composer.files == [file]
    go_on.set()
    await until(lambda: not view.drafting.sending)


async def test_enter_pressed_twice_at_once_sends_files_once(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go_on = sending_waits(hl, monkeypatch)
    file = tmp_path / "bilaga å.txt"
    file.write_text("å")
    attach(view, file)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)  # before the loop has turned, as after a pause of the window
    await until(lambda: bool(view.drafting.sending))
    assert len(view.drafting.sending) == 1
    go_on.set()
    await until(lambda: not view.drafting.sending)


async def test_an_empty_field_adds_nothing_to_the_text_of_a_message_that_is_being_sent(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    go_on = sending_waits(hl, monkeypatch)
    file = tmp_path / "bilaga å.txt"
    file.write_text("å")
    write(view, "Här är filen å")
    attach(view, file)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    await until(lambda: view.composer.text == "")
    assert reopened(view, qtbot).composer.text == "Här är filen å"
    go_on.set()
    await until(lambda: not view.drafting.sending)


async def test_a_text_whose_file_could_not_be_sent_comes_back_before_what_was_written_since(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    go_on = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        await go_on.wait()
        raise NotFound

    monkeypatch.setattr(hl.chat, "send_file", fail)
    (tmp_path / "fil.txt").write_text("å")
    view._on_submitted(Written(text="Här är filen å", reply_to=None, edits=None, files=(tmp_path / "fil.txt",)))
    await asyncio.sleep(0)
    write(view, "Nytt 🙂")
    assert reopened(view, qtbot).composer.text == "Här är filen å\nNytt 🙂"
    go_on.set()
    await until(lambda: view.composer.text == "Här är filen å\nNytt 🙂")
    assert view.composer.files == [tmp_path / "fil.txt"]
    assert hl.chat.draft(ROOM).text == "Här är filen å\nNytt 🙂"


async def test_a_text_comes_back_also_after_a_fault_of_our_own_code(
    view: ChatView,
    hl: Desk,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    qtbot: QtBot,
    errors_shown: list[tuple[Exception, Again]],
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise BugError("a fault in here")

    monkeypatch.setattr(hl.chat, "send_file", fail)
    file = tmp_path / "bilaga å.txt"
    file.write_text("å")
    write(view, "Här är filen å")
    attach(view, file)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    await until(lambda: bool(errors_shown))
    assert view.composer.text == "Här är filen å"
    assert view.composer.files == [file]
    assert view.drafting.sending == []
    again = reopened(view, qtbot)
    assert (again.composer.text, again.composer.files) == ("Här är filen å", [file])


async def test_a_text_that_was_sent_with_its_file_is_no_draft(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def send(*_: object, **__: object) -> None:
        hl.chat.send(ROOM, "Här är filen å")

    monkeypatch.setattr(hl.chat, "send_file", send)
    view._on_submitted(Written(text="Här är filen å", reply_to=None, edits=None, files=(tmp_path / "fil.txt",)))
    await until(lambda: len(view.model.timeline) == 1 and not view.drafting.sending)
    assert last(view) == "Här är filen å"
    assert hl.chat.draft(ROOM).text == ""


def test_what_was_attached_is_there_again_and_pasted_pictures_are_named(
    view: ChatView, hl: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "bilaga å.pdf").write_text("å")
    view.composer.add_files([tmp_path / "bilaga å.pdf", Pasted("Bild 2.png", b"x")])
    again = reopened(view, qtbot)
    assert again.composer.files == [tmp_path / "bilaga å.pdf"]
    assert again.composer.send_button.isEnabled()
    assert "1 inklistrad bild sparades inte." in again.composer.pasted_line.label.text()
    again.composer._drop_file(tmp_path / "bilaga å.pdf")
    assert reopened(again, qtbot).composer.files == []


def test_too_many_files_stay_in_the_composer_with_a_sentence(
    view: ChatView, errors_shown: list[tuple[Exception, Again]]
) -> None:
    files: list[Source] = [Pasted(f"Bilaga å {n}.txt", b"x") for n in range(MAX_ATTACHMENTS + 1)]
    write(view, "Bilagorna")
    view.composer.add_files(files)
    view.composer.submit()
    notified = [sentence_of(error).text for error, _ in errors_shown]
    assert [text for text in notified if f"högst {MAX_ATTACHMENTS} filer" in text] == notified != []
    assert (view.composer.text, view.composer.files) == ("Bilagorna", files)
    assert view.composer.send_button.isEnabled()
