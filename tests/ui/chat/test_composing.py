# SPDX-License-Identifier: EUPL-1.2
"""What is pasted into the composer. The composer while a message is changed or answered: what can be added, what is
shown of the other message, and what can be saved. Beside it what is copied, the panel of emoji, and the button
that goes to the latest message."""

from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QMimeData, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from app.chat.records import Attachment, MessageDeleted, MessageEdited, MessageSent, encode
from app.objects.files import Pasted
from tests.office import CHANNEL, EK, ROOM, Desk, from_others
from tests.ui.chat.test_view import last, named, write
from ui.chat.composer import Banner, Composer, Written
from ui.chat.emoji import EmojiPanel
from ui.chat.jump_button import JumpButton
from ui.chat.pictures import picture_of
from ui.chat.view import ChatView

T = 1_795_500_000_000
FILE = Attachment(name="Bilaga å.pdf", size_bytes=6, media_type="application/pdf", manifest=b"m")
NO_FILES = "Filer och bilder kan inte läggas till i ett meddelande som redan är skickat."
SHEET = "<table><tr><td>Å</td><td>12</td></tr><tr><td>bb</td><td>3</td></tr></table>".encode()


def copied(files: list[Path] | None = None, *, picture: bool = False, **forms: bytes) -> QMimeData:
    """What another program has copied: files, a picture, and data by media type, whose / is written as _."""
    mime = QMimeData()
    for form, data in forms.items():
        mime.setData(form.replace("_", "/"), data)
    if files:
        mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    if picture:
        image = QImage(30, 20, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.darkGreen)
        held = QBuffer()
        held.open(QIODevice.OpenModeFlag.WriteOnly)
        assert image.save(held, "PNG")  # type: ignore[call-overload] # PySide's stub wants bytes for the format
        mime.setData("image/png", bytes(held.data().data()))
    return mime


def paste(view: ChatView, mime: QMimeData) -> None:
    QApplication.clipboard().setMimeData(mime)
    QTest.keyClick(view.composer.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def reply_line(view: ChatView) -> str:
    """What is shown above the field of the message that is answered."""
    return next(b.label.accessibleName() for b in view.composer.findChildren(Banner) if b.isVisible())


def test_pasted_files_wait_in_the_composer_and_can_be_taken_out(view: ChatView, tmp_path: Path) -> None:
    path = tmp_path / "Bilaga å.pdf"
    path.write_bytes(b"x")
    paste(view, copied([path]))
    assert named(view, "Skicka").isEnabled()
    named(view, "Skicka inte Bilaga å.pdf").click()
    assert not named(view, "Skicka").isEnabled()


def test_a_pasted_picture_is_on_no_disk(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    pasted = copied(picture=True)
    composer, sent = Composer("Skriv", list), list[Written]()
    qtbot.addWidget(composer)
    composer.submitted.connect(sent.append)
    composer.field.insertFromMimeData(pasted)
    composer.submit()
    (file,) = sent[0].files
    assert isinstance(file, Pasted)
    assert file.data == bytes(pasted.data("image/png").data()), "byte for byte"
    picture = picture_of(file)
    assert picture is not None
    assert (picture.width, picture.height) == (30, 20)
    assert not list(tmp_path.iterdir())


def test_a_spreadsheet_is_pasted_as_a_block_though_it_offers_a_picture(view: ChatView) -> None:
    composer = view.composer
    write(view, "Se: ")
    paste(view, copied(picture=True, text_plain="Å\t12\nbb\t3\n".encode(), text_html=SHEET))
    assert composer.text == "Se: \n```\nÅ   12\nbb  3\n```\n"
    write(view, "mer")
    assert composer.text.endswith("```\nmer")
    assert not composer.pasted_line.isVisible()
    for _ in range(4):
        QTest.keyClick(composer.field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "```" not in composer.text


def test_a_copied_picture_is_pasted_as_a_picture_though_html_shows_it(view: ChatView) -> None:
    paste(view, copied(picture=True, text_html=b"<img src=x alt=bild>"))
    assert named(view, "Skicka").isEnabled()
    assert view.composer.text == ""
    assert not view.composer.pasted_line.isVisible()


def test_what_could_not_be_pasted_into_a_message_is_shown_until_it_is_read(view: ChatView) -> None:
    composer, shown = view.composer, view.composer.pasted_line
    paste(view, copied(text_plain=b"text", text_html=b"<p>text<img src=x><img src=y></p>"))
    assert composer.text == "text"
    assert shown.isVisible()
    assert shown.label.accessibleName() == "2 bilder kunde inte följa med."
    QTest.keyClick(composer.field, Qt.Key.Key_Escape)
    assert not shown.isVisible()
    assert composer.text == "text"
    for mime, sentence in (
        (copied(text_html=b"<img src=x>"), "1 bild kunde inte följa med."),
        (copied(image_bmp=b"x"), "1 bild kunde inte följa med."),
        (copied(text_html=b"<div></div>"), "Det fanns ingen text att klistra in."),
    ):
        paste(view, mime)
        assert shown.label.accessibleName() == sentence
    named(view, "Stäng meddelandet").click()
    assert not shown.isVisible()
    paste(view, copied(text_html=b"<img src=x>"))
    paste(view, copied(text_plain=b" mer"))
    assert not shown.isVisible()
    paste(view, copied(text_html=b"<img src=x>"))
    QTest.keyClick(composer.field, Qt.Key.Key_Return)
    assert not shown.isVisible()


@pytest.mark.parametrize("kind", ["file", "picture"])
def test_what_is_pasted_into_a_changed_message_is_refused_in_a_sentence(
    view: ChatView, hl: Desk, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "bilaga å.txt"
    file.write_text("å")
    hl.chat.send(ROOM, "4 § å")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    for _ in range(2):  # the second one does not hide the line
        paste(view, copied([file]) if kind == "file" else copied(picture=True))
        assert view.composer.pasted_line.isVisible()
        assert view.composer.pasted_line.label.accessibleName() == NO_FILES
    assert view.composer.files == []
    QTest.keyClick(view.composer.field, Qt.Key.Key_Escape)
    assert not view.composer.pasted_line.isVisible()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Escape)
    assert view.composer.edits is None
    paste(view, copied([file]))
    assert view.composer.files == [file]


def test_files_cannot_be_attached_while_a_message_is_changed(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "4 § å")
    attach = named(view, "Bifoga filer")
    assert attach.isEnabled()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    assert not attach.isEnabled()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Escape)
    assert attach.isEnabled()


def test_files_that_were_being_chosen_when_a_change_began_are_refused_in_a_sentence(
    view: ChatView, hl: Desk, tmp_path: Path
) -> None:
    hl.chat.send(ROOM, "4 § å")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    view.composer.add_files([])  # the dialog was cancelled
    assert not view.composer.pasted_line.isVisible()
    view.composer.add_files([tmp_path / "bilaga å.txt"])
    assert view.composer.pasted_line.isVisible()


def test_the_line_over_an_answer_shows_nothing_of_a_message_that_was_deleted(
    view: ChatView, hl: Desk, qtbot: QtBot
) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Hemlig å"))], n=20, t=T)
    target = view.model.timeline.message(0).change_id
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view.list, Qt.Key.Key_S)
    assert reply_line(view) == "Svar till Enhetschef: Hemlig å"
    from_others(hl, EK, CHANNEL, [encode(MessageEdited(target=target, text="Mycket hemlig å"))], n=30, t=T + 1000)
    assert reply_line(view) == "Svar till Enhetschef: Mycket hemlig å"
    from_others(hl, EK, CHANNEL, [encode(MessageDeleted(target=target))], n=40, t=T + 2000)
    assert reply_line(view) == "Svar till Enhetschef: Meddelandet togs bort"


def test_the_line_over_an_answer_shows_a_deletion_also_after_a_change_of_another_message(
    view: ChatView, hl: Desk
) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Hemlig å"))], n=20, t=T)
    hl.chat.send(ROOM, "Mitt")
    target = view.model.timeline.message(0).change_id
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view.list, Qt.Key.Key_Home)
    QTest.keyClick(view.list, Qt.Key.Key_S)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    assert view.composer.text == "Mitt"
    from_others(hl, EK, CHANNEL, [encode(MessageDeleted(target=target))], n=40, t=T + 2000)
    assert reply_line(view) == "Du redigerar ett meddelande"
    QTest.keyClick(view.composer.field, Qt.Key.Key_Escape)
    assert reply_line(view) == "Svar till Enhetschef: Meddelandet togs bort"


def test_the_text_of_a_message_with_a_file_can_be_emptied(view: ChatView, hl: Desk) -> None:
    hl.store.changes.append(ROOM, CHANNEL, encode(MessageSent(text="Här å", attachments=(FILE,))))
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    view.composer.field.selectAll()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Delete)
    QTest.keyClick(view.composer.field, Qt.Key.Key_Return)
    assert last(view) == ""
    assert view.composer.edits is None
    hl.chat.send(ROOM, "Utan fil")
    QTest.keyClick(view.composer.field, Qt.Key.Key_Up)
    view.composer.field.selectAll()
    QTest.keyClick(view.composer.field, Qt.Key.Key_Delete)
    assert not named(view, "Spara").isEnabled()


@pytest.mark.parametrize(
    ("text", "count", "shown"),
    [
        ("Här å", 1, "Texten är kopierad"),
        ("", 1, "Filens namn är kopierat"),
        ("", 2, "Filernas namn är kopierade"),
    ],
)
def test_what_is_copied_of_a_message_is_said_as_it_is(
    view: ChatView, hl: Desk, monkeypatch: pytest.MonkeyPatch, text: str, count: int, shown: str
) -> None:
    toasts: list[str] = []
    monkeypatch.setattr("ui.chat.message_actions.toast", lambda widget, said: toasts.append(said))
    hl.store.changes.append(ROOM, CHANNEL, encode(MessageSent(text=text, attachments=(FILE,) * count)))
    view.list.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert toasts == [shown]


def test_an_arrow_out_of_the_emoji_leaves_the_focus_where_it_is(view: ChatView, qtbot: QtBot) -> None:
    named(view, "Infoga emoji").click()
    panel = next(p for p in view.findChildren(EmojiPanel) if p.isVisible())
    buttons = panel.findChildren(QToolButton)

    def press(*keys: Qt.Key) -> int:
        for key in keys:
            QTest.keyClick(panel, key)
        return next(at for at, button in enumerate(buttons) if button.hasFocus())

    key = Qt.Key
    qtbot.waitUntil(buttons[0].hasFocus)
    assert press(key.Key_Left) == 0
    assert press(key.Key_Right, key.Key_Right, key.Key_Up) == 2
    assert press(key.Key_Down, key.Key_Down, key.Key_Down) == 18
    assert press(*[key.Key_Right] * 6) == len(buttons) - 1
    panel.close()


def test_the_button_counts_no_mention_among_many_that_it_marks_as_read(view: ChatView) -> None:
    """Above a thousand no more are counted: these are at least those without a mention."""
    button = view.findChild(JumpButton)
    assert button is not None
    for unread, mentions, shown in (
        (999, 998, "Hoppa till nyaste och markera 1 som läst"),
        (1000, 0, "Hoppa till nyaste och markera över 999 som lästa"),
        (1000, 700, "Hoppa till nyaste och markera över 299 som lästa"),
        (1000, 1500, "Hoppa till nyaste"),
    ):
        button.show_count(unread, mentions)
        assert button.accessibleName() == shown
