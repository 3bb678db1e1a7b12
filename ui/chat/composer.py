# SPDX-License-Identifier: EUPL-1.2
"""Where messages are written: the field, its tools, what is answered or edited, files to send, and Send."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Signal
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from app.chat.marking import BOLD, ITALIC
from app.chat.model import Message
from app.core.ids import ChangeId
from app.objects.files import Pasted, Source
from app.people.person import Person
from ui.chat.emoji import EmojiPanel
from ui.chat.text_field import TextField
from ui.chat.thumbnail import Thumbnail
from ui.kit.announcing import announce
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import IconLabel
from ui.kit.dialogs import ask, open_files
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.pictures import format_of
from ui.kit.presence_in_view import KnownPresence
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, column, line, set_props
from ui.kit.tasks import run
from ui.kit.translate import tr


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message that is to be sent. `edits` is the own `Message` whose text it replaces, `reply_to` the `Message` that
    it answers; None if there is none."""

    text: str
    reply_to: Message | None
    edits: Message | None
    files: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftMessage:
    """A message that is being written, or whose files are being sent: it is not sent yet. `reply_to` is the `Message`
    that it answers, and `name` the name of that message's author; None and "" if it answers none."""

    text: str = ""
    reply_to: Message | None = None
    name: str = ""
    files: tuple[Source, ...] = ()


NOTHING = DraftMessage()


class Composer(QFrame):
    """The area in which a message is written, with its tools and files. It decides nothing: `submitted` is emitted with
    what was written (a `Written`), `written` without arguments when the draft may have changed. `people` returns who
    can be mentioned."""

    submitted = Signal(object)
    written = Signal()
    edit_last_asked = Signal()

    def __init__(
        self,
        placeholder: str,
        people: Callable[[], Sequence[Person]],
        parent: QWidget | None = None,
        *,
        current: Callable[[Message], Message] = lambda message: message,
        presence: KnownPresence | None = None,
    ) -> None:
        """`presence` knows whether the people who may be mentioned can be reached. `current` returns a message
        as it is now: one that is answered may be changed or deleted meanwhile."""
        super().__init__(parent)
        self._current = current
        set_props(self, frame="composer")
        self.setObjectName("composer")
        self._reply: Message | None = None
        self._edit: Message | None = None
        self._name = ""
        self._aside = NOTHING
        """What was being written when an edit began; it comes back after the edit."""
        self._changed: dict[ChangeId, str] = {}
        """Edits that the person left for another edit or for an answer: neither saved nor cancelled."""
        self.files: list[Source] = []
        self._turns = asyncio.Lock()
        """Thumbnails are painted one at a time."""
        layout = column(self, margins=(11, 9, 11, 9), spacing=6)
        self._banner = Banner(self.cancel)
        self.pasted_line = Banner(self._close_pasted)
        self._file_host = QWidget()
        column(self._file_host, spacing=4)
        self._file_host.hide()
        self._file_rows: KeyedRows[Source, QWidget] = KeyedRows(
            self._file_host, lambda file: file, self._file_row, lambda *_: None
        )
        self.field = TextField(people, presence=presence)
        self.field.setAccessibleName(placeholder)
        self.field.setPlaceholderText(placeholder)
        layout.addWidget(self._banner)
        layout.addWidget(self.pasted_line)
        layout.addWidget(self._file_host)
        layout.addWidget(self.field)
        layout.addSpacing(4)
        layout.addLayout(self._tools())
        self.setFocusProxy(self.field)
        QWidget.setTabOrder(self.field, self._banner.close_button)  # before the field Qt would pass it by: the proxy
        QWidget.setTabOrder(self._banner.close_button, self.pasted_line.close_button)
        self._connect()
        self._on_text()

    def _connect(self) -> None:
        self.field.submitted.connect(self.submit)
        self.field.cancelled.connect(self._on_escape)
        self.field.edit_last_asked.connect(self.edit_last_asked)
        self.field.files_given.connect(self.add_files)
        self.field.image_given.connect(self._add_image)
        self.field.not_taken.connect(self.show_left_out)
        self.field.textChanged.connect(self._on_text)
        self.field.marks_changed.connect(self._show_marks)
        self.field.installEventFilter(self)

    def _tools(self) -> QLayout:
        row = FlowLayout(gap=2)
        row.setContentsMargins(-5, 0, 0, 0)
        field = self.field
        self._bold = IconButton("bold", tr("Bold"), partial(self._toggle, BOLD), shortcut="Ctrl+B", checkable=True)
        self._italic = IconButton(
            "italic", tr("Italic"), partial(self._toggle, ITALIC), shortcut="Ctrl+I", checkable=True
        )
        self._list = IconButton("bullets", tr("List"), self._toggle_list, checkable=True)
        self._attach = IconButton("attach", tr("Attach files"), self._ask_files)
        buttons: list[IconButton | None] = [
            self._bold,
            self._italic,
            self._list,
            IconButton("link", tr("Insert link"), self._ask_link),
            None,
            self._attach,
            IconButton("mention", tr("Mention somebody"), field.start_mention),
            IconButton("emoji", tr("Insert emoji"), self._ask_emoji),
        ]
        for button in buttons:
            if button is None:
                row.addWidget(_rule())
            else:
                row.addWidget(button)
        self._emoji_button = buttons[-1]
        row.addStretch()
        self.send_button = TextButton(tr("Send"), self.submit, kind="primary", icon="send")
        row.addWidget(self.send_button)
        return row

    # -- what is written --------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The text in the field."""
        return self.field.toPlainText()

    @property
    def replies_to(self) -> Message | None:
        """The message that is answered."""
        return self._reply

    @property
    def edits(self) -> Message | None:
        """The message that is being edited."""
        return self._edit

    @property
    def aside(self) -> DraftMessage:
        """What was being written when the edit began; nothing if none is edited."""
        return self._aside

    def restore(self, begun: DraftMessage, edit: Message | None = None, edited: str = "") -> None:
        """Shows a draft again. If the person was changing the message `edit`, `edited` is its new text, and `begun` is
        shown after that edit. With `edit` None, `edited` is not used."""
        self._show(begun)
        if edit is not None:
            self._begin_edit(edit, edited)

    def put_back(self, failed: DraftMessage) -> None:
        """Adds `failed`, a message that could not be sent, to what is being written: its text before that text, and its
        files. During an edit of a message, adds it to what was being written before the edit. If only one of the two
        is an answer, both together become that answer; if both are, the one that is being written decides."""
        since = self._aside if self._edit is not None else self.begun
        text = "\n".join(part for part in (failed.text, since.text) if part.strip())
        first = failed if since.reply_to is None else since
        files = (*failed.files, *(file for file in since.files if file not in failed.files))
        begun = DraftMessage(text=text, reply_to=first.reply_to, name=first.name, files=files)
        if self._edit is not None:
            self._aside = begun
            self.written.emit()
        else:
            self._show(begun)

    def reply(self, message: Message, name: str) -> None:
        """Begins an answer to `message`, whose author is `name`. What is being written becomes the answer's text.
        During the change of a message, that change ends without being saved, its text is kept for the next change of
        that message, and what was being written before it becomes the answer's text."""
        if self._edit is not None:
            self._leave_edit()
        self._reply, self._name = message, name
        self._show_banner()
        self.field.setFocus()
        self.written.emit()

    def edit(self, message: Message) -> None:
        """Begins to change `message`, one of the person's own. What was being written is shown again afterwards. A
        change of another message ends without being saved; its text is kept for the next change of that message."""
        if self._edit is None or self._edit.change_id != message.change_id:
            if self._edit is not None:
                self._leave_edit()
            self._begin_edit(message, self._changed.pop(message.change_id, message.text))
        self.field.setFocus()

    def _begin_edit(self, message: Message, text: str) -> None:
        self._aside = self.begun
        self._show(DraftMessage(text=text), message)

    def _leave_edit(self) -> None:
        """Ends the change of a message, without saving it, and shows what was being written before. The changed text is
        kept, and is there when the same message is changed again."""
        if self._edit is not None and self.text != self._edit.text:
            self._changed[self._edit.change_id] = self.text
        self._end_edit()

    def _end_edit(self) -> None:
        aside, self._aside = self._aside, NOTHING
        self._show(aside)

    @property
    def begun(self) -> DraftMessage:
        """The draft: what is being written or edited."""
        return DraftMessage(text=self.text, reply_to=self._reply, name=self._name, files=tuple(self.files))

    def _show(self, begun: DraftMessage, edit: Message | None = None) -> None:
        self.pasted_line.hide()
        self._reply, self._name, self._edit = begun.reply_to, begun.name, edit
        self.files[:] = begun.files
        self.field.setPlainText(begun.text)
        self._show_files()
        self._show_banner()
        self._to_end()

    def add_files(self, files: Sequence[Source]) -> None:
        """Adds files that are to be sent with the message; one that is there already is not added again. While a
        message is being changed, none is added, and a line says so. Gives the field the focus."""
        if self._edit is None:
            self.files += [file for file in dict.fromkeys(files) if file not in self.files]
            self._show_files()
        elif files:
            self.show_left_out(tr("Files and pictures cannot be added to a message that has been sent."))
        self.field.setFocus()

    def refresh(self) -> None:
        """Shows the message that is answered as it is now: what others see no more is not left here."""
        if self._reply is not None:
            self._show_banner()

    def drop_gone(self, is_gone: Callable[[Message], bool]) -> None:
        """▲ Ends the answer to a message, and the change of a message, for which `is_gone` is true: it was disposed of.
        The text of the change is dropped, since it quotes the message. What the person was writing before the change
        stays."""
        if self._edit is not None and is_gone(self._edit):
            self._changed.pop(self._edit.change_id, None)
            self._end_edit()
        if self._aside.reply_to is not None and is_gone(self._aside.reply_to):
            self._aside = replace(self._aside, reply_to=None, name="")
        if self._reply is not None and is_gone(self._reply):
            self._reply, self._name = None, ""
            self._show_banner()
            self.written.emit()

    def clear(self) -> None:
        """Empties the field and removes files and answer, after the message was sent or saved, or the change of a
        message was cancelled. After a change, shows what was being written before it."""
        self._end_edit()

    def cancel(self) -> None:
        """Handles Escape and the cross over the field: cancels the change of a message, whose changed text is lost, or
        the answer, whose text stays. Gives the field the focus."""
        if self._edit is not None:
            self.clear()
        elif self._reply is not None:
            self._reply, self._name = None, ""
            self._show_banner()
            self.written.emit()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):  # the ring is around all of it
            set_props(self, active=event.type() == QEvent.Type.FocusIn)
        return False

    def submit(self) -> None:
        """Emits `submitted` with the message that is written (a `Written`), if it has a text or files. The field is not
        emptied: the receiver calls `clear` when it takes the message."""
        if self.send_button.isEnabled():
            self.field.close_names()
            written = Written(
                text=self.field.finished_text(), reply_to=self._reply, edits=self._edit, files=tuple(self.files)
            )
            self.submitted.emit(written)

    def _on_text(self) -> None:
        has_files = bool(self.files if self._edit is None else self._edit.attachments)
        self.send_button.setEnabled(has_files or bool(self.text.strip()))
        self.written.emit()

    def _toggle(self, mark: str) -> None:
        self.field.toggle_mark(mark)
        self._show_marks()

    def _toggle_list(self) -> None:
        self.field.toggle_list()
        self._show_marks()

    def _show_marks(self) -> None:
        """Shows on the buttons whether the text at the caret is bold, italic or in a list."""
        here = self.field.written_here()
        self._bold.setChecked(BOLD in here.marks)
        self._italic.setChecked(ITALIC in here.marks)
        self._list.setChecked(here.in_list)

    def _to_end(self) -> None:
        cursor = self.field.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.field.setTextCursor(cursor)

    def _show_banner(self) -> None:
        if self._edit is not None:
            self._banner.show_text("edit", tr("You are editing a message"), tr("Stop editing"))
        elif self._reply is not None:
            answered = self._current(self._reply)
            text = tr("The message was deleted") if answered.deleted else " ".join(answered.text.split())
            line_text = tr("Reply to {name}: {text}").format(name=self._name, text=text)
            self._banner.show_text("reply", line_text, tr("Do not reply"))
        else:
            self._banner.hide()
        self.send_button.setText(tr("Save") if self._edit is not None else tr("Send"))
        self._attach.setEnabled(self._edit is None)

    def _show_files(self) -> None:
        self._file_rows.show(self.files)
        self._file_host.setVisible(bool(self.files))
        self._on_text()

    def _file_row(self, file: Source) -> QWidget:
        row = QWidget()
        cells = line(row, spacing=8)
        cells.addWidget(Thumbnail(file, self._turns))
        cells.addWidget(ElidedLabel(file.name, "strong"), 1)
        remove = tr("Do not send {name}").format(name=file.name)
        cells.addWidget(IconButton("close", remove, partial(self._drop_file, file), size=14))
        return row

    def _drop_file(self, file: Source) -> None:
        self.files.remove(file)
        self._show_files()
        self.field.setFocus()

    # -- tools ------------------------------------------------------------------------------------------------------

    def _ask_files(self) -> None:
        async def choose() -> None:
            self.add_files(await open_files(self, tr("Attach files")))

        run(self, choose())

    def _ask_link(self) -> None:
        selected = self.field.textCursor().selectedText()

        async def choose() -> None:
            target = await ask(self, tr("Insert link"), tr("Web address"), value="https://")
            if target and target != "https://":
                self.field.insert(f"[{selected or target}]({target})")

        run(self, choose())

    def _ask_emoji(self) -> None:
        button = self._emoji_button or self
        EmojiPanel(self, self.field.insert).open_at(button.mapToGlobal(QPoint(0, -6)), above=True)

    def show_left_out(self, left_out: str) -> None:
        """Shows and announces the sentence `left_out`: what could not be pasted or kept. It stays until it is closed,
        or until another paste, a send, or the beginning or end of a change of a message; "" hides it."""
        self.pasted_line.setVisible(bool(left_out))
        if left_out:
            self.pasted_line.show_text("warning", left_out, tr("Close the message"))
            announce(self.pasted_line, left_out)

    def _on_escape(self) -> None:
        if self.pasted_line.isVisible():
            self._close_pasted()
        else:
            self.cancel()

    def _close_pasted(self) -> None:
        self.pasted_line.hide()
        self.field.setFocus()

    def _add_image(self, data: bytes) -> None:
        """Adds a pasted picture (`data`, a PNG or JPEG) as a file to be sent, byte for byte, with the name "Picture
        1.png" or the like. The picture is on no disk until it is encrypted. While a message is being changed, it is not
        added."""
        suffix = "png" if format_of(data) == b"png" else "jpg"
        self.add_files([Pasted(f"{tr('Picture')} {len(self.files) + 1}.{suffix}", data)])


def _rule() -> QWidget:
    """A thin upright line between two groups of buttons."""
    made, rule = QWidget(), QFrame()
    set_props(rule, frame="line")
    hold(rule, height=18)
    rule.setFixedWidth(1)
    line(made, margins=(6, 0, 6, 0)).addWidget(rule)
    return made


class Banner(QWidget):
    """A line over the field in which a message is written, with an icon, a text and a cross that calls `on_close`. It
    shows which message is answered or changed, or what could not be pasted. Hidden until `show_text`."""

    def __init__(self, on_close: Callable[[], object]) -> None:
        super().__init__()
        row = line(self, spacing=8)
        self._icon = IconLabel("reply", "accent", 15)
        self.label = ElidedLabel("", "small")
        self.close_button = IconButton("close", "", on_close, size=14)
        row.addWidget(self._icon)
        row.addWidget(self.label, 1)
        row.addWidget(self.close_button)
        self.hide()

    def show_text(self, icon: str, text: str, close: str) -> None:
        """Shows the line with this icon and text. `close` says what the cross does: its tooltip and name for screen
        readers."""
        self._icon.set_icon(icon, "accent")
        self.label.set_text(text)
        self.close_button.set_name(close, "Esc")
        self.show()
