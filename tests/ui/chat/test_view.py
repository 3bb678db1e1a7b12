# SPDX-License-Identifier: EUPL-1.2
"""The chat as a person uses it: by keyboard and by the names that controls have."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.chat.previews import is_preview
from app.chat.records import Attachment, MessageDeleted, MessageSent, encode
from app.core.ids import DevId
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Positions, from_others
from tests.ui.pointing import wheel
from tests.world import until
from ui.chat.pictures import picture_of
from ui.chat.typing_line import typing_text
from ui.chat.view import ChatView
from ui.errors import code_of, sentence_of
from ui.kit import theme
from ui.kit.tasks import Again
from ui.tool_views import DraftingView, PlacedView


def named(view: QWidget, name: str) -> QAbstractButton:
    found = [b for b in view.findChildren(QAbstractButton) if b.accessibleName() == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def write(view: ChatView, text: str) -> None:
    view.composer.field.insertPlainText(text)


def last(view: ChatView) -> str:
    timeline = view.model.timeline
    return timeline.message(len(timeline) - 1).text


def test_enter_sends_and_shift_enter_makes_a_line(view: ChatView) -> None:
    write(view, "Första raden å")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    write(view, "andra 🙂")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert last(view) == "Första raden å\nandra 🙂"
    assert view.composer.text == ""


def test_send_is_off_while_there_is_nothing_to_send(view: ChatView) -> None:
    assert not named(view, "Skicka").isEnabled()
    write(view, "hej")
    named(view, "Skicka").click()
    assert last(view) == "hej"


def test_up_in_the_empty_field_edits_the_last_and_escape_lets_it_be(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "4 §")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    assert view.composer.text == "4 §"
    assert named(view, "Spara").isEnabled()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Escape)
    assert view.composer.text == ""
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    view.composer.field.setPlainText("5 §")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert last(view) == "5 §"
    assert len(view.model.timeline) == 1


def test_an_answer_is_begun_by_key_and_quotes(view: ChatView, hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Kan du titta?"))], n=20, t=1_795_500_000_000)
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view.list, Qt.Key.Key_S)
    write(view, "Ja")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    quote = view.model.timeline.message(1).quote
    assert quote is not None
    assert quote.text == "Kan du titta?"


def test_marks_are_put_around_the_selection(view: ChatView) -> None:
    write(view, "viktigt")
    view.composer.field.selectAll()
    QTest.keyClick(view.composer.field, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert view.composer.text == "**viktigt**"
    view.composer.field.selectAll()
    named(view, "Fet").click()
    assert view.composer.text == "viktigt"
    named(view, "Lista").click()
    assert view.composer.text == "- viktigt"


def test_a_name_is_completed_and_becomes_a_mention(view: ChatView, hl: Desk) -> None:
    write(view, "🙂 Hej @enh")
    names = view.composer.field.names
    assert names is not None
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert view.composer.text == "🙂 Hej @Enhetschef "
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert [m.uid for m in view.model.timeline.message(0).mentions] == [EK]


def test_enter_sends_when_the_caret_has_left_the_name_that_was_begun(view: ChatView) -> None:
    """The list stayed open, and every Enter went to it."""
    write(view, "hej @")
    assert view.composer.field.names is not None
    for _ in range(2):
        QTest.keyClick(view.composer.field, Qt.Key.Key_Left)
    assert view.composer.field.names is None
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert [m.text for m in [view.model.timeline.message(0)]] == ["hej @"]


def test_the_button_for_a_mention_offers_names_by_keyboard_too(view: ChatView) -> None:
    button = named(view, "Nämn någon")
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert view.composer.text == "@"
    assert view.composer.field.names is not None


def test_a_draft_is_there_when_the_view_is_opened_again(view: ChatView, hl: Desk, qtbot: QtBot) -> None:
    write(view, "Halv mening ö")
    assert isinstance(view, DraftingView)
    view.keep_draft()
    again = ChatView(hl.chat, ROOM)
    qtbot.addWidget(again)
    assert again.composer.text == "Halv mening ö"


def test_what_is_seen_is_read(view: ChatView, hl: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(view.isActiveWindow)
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="ny"))], n=20, t=1_795_500_000_000)
    qtbot.waitUntil(lambda: hl.chat.unread(ROOM) == (0, 0), timeout=5000)


def test_the_menu_offers_only_what_one_may(view: ChatView, hl: Desk) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="deras"))], n=20, t=1_795_500_000_000)
    hl.chat.send(ROOM, "mitt")
    for row, expected in ((0, False), (1, True)):
        view.list.menu_asked.emit(view.model.timeline.message(row), view.mapToGlobal(view.rect().center()))
        menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
        texts = [action.text() for action in menu.actions()]
        assert ("Redigera" in texts, "Ta bort" in texts) == (expected, expected)
        assert "Svara" in texts
        menu.close()


def test_a_deleted_message_says_who_deleted_it(view: ChatView, hl: Desk) -> None:
    first = hl.chat.send(ROOM, "fel rum")
    Positions([hl]).deliver()
    from_others(hl, HL, CHANNEL, [encode(MessageDeleted(target=first))], n=40, t=1_795_500_000_000)
    assert "Meddelandet togs bort av Handläggare" in view.model.spoken(0)


def test_who_is_writing_is_shown(view: ChatView, hl: Desk) -> None:
    hl.chat.typing.receive(ROOM, EK, DevId(EK), b"\x82\xa4type\xa6typing\xa2on\xc3")
    assert view.typing.text() == "Enhetschef skriver …"
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="klar"))], n=20, t=1_795_500_000_000)
    assert view.typing.text() == ""
    assert typing_text(["A", "B", "C"]) == "Flera skriver …"


def test_a_large_picture_gets_a_small_preview(tmp_path: Path) -> None:
    image = QImage(3000, 2000, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    assert image.save(str(tmp_path / "karta.png"))
    picture = picture_of(tmp_path / "karta.png")
    assert picture is not None
    assert (picture.width, picture.height) == (3000, 2000)
    assert is_preview(picture.preview)
    (tmp_path / "trasig.png").write_bytes(b"inte en bild")
    assert picture_of(tmp_path / "trasig.png") is None
    assert not asyncio.iscoroutine(picture)


def test_every_control_has_a_name_of_its_own(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "hej")
    names: list[str] = []
    for widget in view.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            face = QAccessible.queryAccessibleInterface(widget)
            assert face is not None
            assert face.role() != QAccessible.Role.NoRole
            names.append(face.text(QAccessible.Text.Name))
    assert all(names), names
    assert len(names) == len(set(names)), names


def test_tab_reaches_the_composer_and_leaves_it(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "hej")
    view.composer.field.setFocus()
    seen: list[QWidget] = []
    for _ in range(14):
        focus = view.focusWidget()
        assert focus is not None
        seen.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert view.list in seen
    assert len(set(seen)) > 5


def test_a_ring_stands_around_the_composer_while_one_writes_and_moves_nothing(view: ChatView, qtbot: QtBot) -> None:
    theme.apply(QApplication.instance(), "light")  # type: ignore[arg-type] # pytest-qt made a QApplication
    composer = view.composer
    qtbot.waitUntil(composer.field.hasFocus)
    place = composer.field.geometry()
    edge = composer.grab().toImage().pixelColor(composer.width() // 2, 1)
    assert edge == theme.current().colour("focus")
    named(view, "Fet").setFocus()
    assert composer.grab().toImage().pixelColor(composer.width() // 2, 1) != edge
    assert composer.field.geometry() == place


def test_who_may_only_read_is_offered_no_answer_edit_or_reaction(view: ChatView, hl: Desk) -> None:
    write(view, "Klart å")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    message = view.model.timeline.message(0)
    hl.folk.writer = False
    view.set_writable(False)
    view.message_actions.open_menu(message, view.mapToGlobal(view.rect().center()))
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    assert [action.text() for action in menu.actions()] == ["Kopiera texten"]
    menu.close()
    for action in ("reply", "edit", "delete", "react"):
        view.message_actions.act(message, action)
    assert view.composer.replies_to is None
    assert view.composer.edits is None
    assert not hl.chat.can_delete(ROOM, message)
    view.hover.show_for(message, view.rect(), can_write=False, can_edit=False)
    assert not named(view, "Svara").isVisible()
    view.setFocus()
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.focusWidget() is view.list


async def test_the_sentence_about_a_file_that_is_gone_names_it(
    view: ChatView, tmp_path: Path, errors_shown: list[tuple[Exception, Again]]
) -> None:
    files = [tmp_path / name for name in ("yttrande å.txt", "beslut.txt", "karta.txt")]
    for file in files:
        file.write_text("å")
    view.composer.add_files(files)
    write(view, "Se bilagorna 🙂")
    files[1].unlink()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    await until(lambda: bool(errors_shown))
    text = sentence_of(errors_shown[0][0]).text
    assert text.startswith("”beslut.txt”: Filen går inte att läsa eller skriva. Inget har ")
    assert view.composer.text == "Se bilagorna 🙂"
    assert len(view.model.timeline) == 0


@pytest.mark.parametrize("allowed", [True, False])
async def test_where_to_save_a_file_is_asked_only_if_policy_lets_it_be_saved(
    view: ChatView,
    hl: Desk,
    monkeypatch: pytest.MonkeyPatch,
    errors_shown: list[tuple[Exception, Again]],
    allowed: bool,
) -> None:
    file = Attachment(name="Bilaga.pdf", size_bytes=6, media_type="application/pdf", manifest=b"m")
    hl.store.changes.append(ROOM, CHANNEL, encode(MessageSent(text="Här", attachments=(file,))))
    asked: list[str] = []

    async def ask(parent: QWidget, title: str, name: str) -> Path | None:
        asked.append(name)
        return None

    monkeypatch.setattr("ui.chat.message_actions.save_file", ask)
    hl.chat.may_export = lambda: allowed
    view.message_actions.hit_file(hl.chat.timeline(ROOM).message(0), 0)
    await until(lambda: bool(asked or errors_shown))
    refused = [code_of(error) for error, _ in errors_shown]
    assert (asked, refused) == ((["Bilaga.pdf"], []) if allowed else ([], ["export-off"]))


def test_the_keys_that_the_message_menu_shows_work_while_it_is_open(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "Yttrandet är kompletterat å")
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_Return)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    QTest.keyClick(menu, Qt.Key.Key_R)
    assert not menu.isVisible()
    assert view.composer.field.toPlainText() == "Yttrandet är kompletterat å"


def test_one_comes_back_to_the_message_at_the_top_and_to_what_is_selected(
    view: ChatView, hl: Desk, qtbot: QtBot
) -> None:
    for number in range(60):
        hl.chat.send(ROOM, f"Rad {number} 🙂 å")
    write(view, "🙂 halv mening")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    wheel(view.list, 7)
    assert not view.list.at_end
    top = view.list.indexAt(QPoint(200, 40)).row()
    rect = view.list.row_rect(top)
    assert isinstance(view, PlacedView)
    left = view.view_place()
    view.keep_draft()
    again = ChatView(hl.chat, ROOM)
    qtbot.addWidget(again)
    again.resize(800, 700)
    again.show()
    again.restore_place(left)
    assert again.list.row_rect(top) == rect
    cursor = again.composer.field.textCursor()
    assert (cursor.selectedText(), cursor.position()) == ("g", 13)
    hl.chat.send(ROOM, "kommer efteråt")
    assert again.list.row_rect(top) == rect


def test_who_was_at_the_latest_message_comes_back_to_the_latest(view: ChatView, hl: Desk, qtbot: QtBot) -> None:
    for number in range(60):
        hl.chat.send(ROOM, f"Rad {number}")
    left = view.view_place()
    hl.chat.send(ROOM, "kom under tiden")
    again = ChatView(hl.chat, ROOM)
    qtbot.addWidget(again)
    again.resize(800, 700)
    again.show()
    again.restore_place(left)
    assert again.list.at_end


def test_a_copied_message_is_read_in_word_as_here_and_keeps_its_marks_in_a_message(view: ChatView, hl: Desk) -> None:
    written = "**Beslut** med *å* & `kod`\n- [lagen](https://exempel.se/å)"
    hl.chat.send(ROOM, written)
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().mimeData()
    assert copied.text() == "Beslut med å & kod\n•\u2002lagen"
    assert "<b>Beslut</b> med <i>å</i> &amp; <code>kod</code><br>" in copied.html()
    assert '<a href="https://exempel.se/å">lagen</a>' in copied.html()
    view.composer.field.setFocus()
    view.composer.field.paste()
    assert view.composer.field.toPlainText() == written


def test_a_name_that_comes_later_is_shown_at_the_messages(view: ChatView, hl: Desk, qtbot: QtBot) -> None:
    """A person who has just accepted an invitation reads messages of people whose records have not been received
    yet."""
    hl.folk.nameless = {EK}
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Välkommen å 🙂"))], n=20, t=1_795_500_000_000)
    hl.chat.send(ROOM, "Tack")
    row = view.model.index(0)
    qtbot.waitUntil(lambda: view.list.layout_of(0).person.name == "…")
    nameless = view.list.viewport().grab().toImage()
    top = view.list.row_rect(0)
    hl.folk.nameless = set()
    hl.folk.changed.emit()
    qtbot.waitUntil(lambda: view.list.layout_of(0).person.name == "Enhetschef")
    assert view.list.layout_of(0).person.initials == "EK"
    assert "Enhetschef, " in str(view.model.data(row))
    assert view.list.viewport().grab().toImage() != nameless
    assert view.list.row_rect(0) == top
