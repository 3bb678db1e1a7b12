# SPDX-License-Identifier: EUPL-1.2
"""The dialog in which an administrator disposes of months of a conversation. It lists the months with what is in them,
says what will happen, asks once more, since nothing of it can be undone, and shows the progress."""

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QWidget

from app.chat.destroying import Month, Months
from app.chat.service import ChatService
from app.core.ids import RoomId
from ui.errors import sentence
from ui.kit.bind import bind
from ui.kit.card import IconLabel, SectionHeader
from ui.kit.dialogs import confirm, show
from ui.kit.keyed_rows import KeyedRows
from ui.kit.latest import Latest
from ui.kit.line_words import number
from ui.kit.stoppable_dialog import StoppableDialog
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import day, month_text, short_day, tr, trn
from ui.tool import ViewParts

READING = "reading"
_INDENT_PX = 26
"""The lines under a month begin below its name, to the right of the box."""


class MonthRow(QWidget):
    """A widget that shows one month of a conversation, with a box to choose it."""

    def __init__(self, month: Month) -> None:
        super().__init__()
        self.period = month.period
        rows = column(self, spacing=2)
        self.box = QCheckBox(month_text(month.period))
        rows.addWidget(self.box)
        below = column(margins=(_INDENT_PX, 0, 0, 0), spacing=2)
        rows.addLayout(below)
        self._lines = [label("", "small", wrap=True) for _ in range(4)]
        for each in self._lines:
            below.addWidget(each)

    def show_month(self, month: Month, *, is_idle: bool) -> None:
        """Shows the numbers of `month`, the same one as before. It can be chosen if it is over and nothing is being
        destroyed (`is_idle`)."""
        texts = month_texts(month)
        for each, text in zip(self._lines, [*texts, "", "", "", ""], strict=False):
            each.setText(text)
            each.setVisible(bool(text))
        if not month.is_over:
            self.box.setChecked(False)
        self.box.setEnabled(month.is_over and is_idle)
        self.box.setAccessibleName(month_text(month.period))
        self.box.setAccessibleDescription(" ".join(texts))


class DestroyDialog(StoppableDialog):
    """A dialog in which an administrator chooses months of a conversation that have ended, and destroys them for
    everybody. While it works, the other button is Stop; what was destroyed by then stays destroyed."""

    def __init__(self, parent: QWidget | None, months: Months, room: RoomId, found: Sequence[Month]) -> None:
        super().__init__(
            parent,
            tr("Dispose of messages?"),
            accept=tr("Dispose of …"),
            text=tr("A month is disposed of as a whole, with all messages and files, for everybody in the room. "
                    "It cannot be undone."),
            doing=tr("Disposing of messages"),
            stopped=tr("Stopped. What was disposed of until then is gone."),
            width=560,
        )  # fmt: skip
        self._months, self._room = months, room
        self._found: tuple[Month, ...] = ()
        self._build_warning()
        self._host = QWidget()
        self._host.setAccessibleName(tr("Months"))
        column(self._host, spacing=8)
        self.rows: KeyedRows[Month, MonthRow] = KeyedRows(
            self._host, lambda month: month.period, self._row, self._show_row
        )
        self.body.addWidget(self._host)
        self._empty = self.add_text(tr("There are no messages to dispose of."))
        self.consequences = [
            SectionHeader(tr("What happens")),
            *(label(text, "small", wrap=True) for text in _effects()),
        ]
        for each in self.consequences:
            self.body.addWidget(each)
        self.add_progress()
        self._latest: Latest[RoomId, list[Month]] = Latest(self, months.read, lambda _, now: self._show(now))
        self._show(found)

    def _build_warning(self) -> None:
        self._warning = QWidget()
        row = line(self._warning, spacing=8)
        row.addWidget(IconLabel("warning", "warning", 16))
        self.warning = label("", "body", wrap=True)
        row.addWidget(self.warning, 1)
        self.body.addWidget(self._warning)

    def _row(self, month: Month) -> MonthRow:
        row = MonthRow(month)
        row.box.toggled.connect(self._on_chosen)
        return row

    def _show_row(self, row: MonthRow, month: Month) -> None:
        row.show_month(month, is_idle=self.is_idle)

    def read_again(self) -> None:
        """Enables what can be chosen now, and reads the months again."""
        self._show_state()
        self._latest.ask(self._room)

    # -- what is shown ----------------------------------------------------------------------------------------------

    def chosen(self) -> list[Month]:
        """The months that the person has chosen, the latest first."""
        return [month for month in self._found if (row := self.rows.row(month.period)) and row.box.isChecked()]

    def _show(self, found: Sequence[Month]) -> None:
        if self.is_idle:
            self._found = tuple(found)
            self._host.setVisible(bool(self._found))
            self._empty.setVisible(not self._found)
            self._show_state()

    def _on_chosen(self) -> None:
        refusal = self._refusal()
        warning = _refusal_text(refusal) if refusal is not None else self._uncounted()
        self.warning.setText(warning)
        self._warning.setVisible(bool(warning))
        may = refusal in (None, READING)
        self.accept_button.setEnabled(may and self.is_idle and bool(self.chosen()))

    def _uncounted(self) -> str:
        """Text: that not all of what goes is counted; "" if it is."""
        if self._months.reads_history(self._room):
            return ""
        return tr("You cannot read what was written before you were added. It is not counted here, and goes with its "
                  "month.")  # fmt: skip

    def _refusal(self) -> str | None:
        return self._months.refusal(self._room) if self._months.may_destroy(self._room) else "forbidden"

    # -- doing it ---------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Asks once more, and then destroys the chosen months, in the background, with a progress bar. The dialog stays
        open and then shows which months were destroyed, or the error. Does nothing while the button is disabled: no
        month is chosen, nothing can be destroyed, or months are being destroyed."""
        if self.accept_button.isEnabled():
            run(self, self._ask(self.chosen()))

    async def _ask(self, chosen: list[Month]) -> None:
        names = tr("Dispose of {months}?").format(months=months_text(chosen))
        text = tr("This deletes {what} for everybody. It cannot be undone.").format(what=total_text(chosen))
        text = " ".join([text, *_apart_text(sum(month.apart for month in chosen))])
        agreed = await confirm(self, names, text, accept=tr("Dispose of"), danger=True)
        if agreed and self.is_idle and self.accept_button.isEnabled():
            self.begin(self._destroy([month.period for month in chosen]))
            self._show_state()

    def _show_state(self) -> None:
        """Enables the boxes and the button as far as months can be chosen and destroyed now."""
        self.rows.show(self._found)
        self._on_chosen()

    async def _destroy(self, periods: Sequence[int]) -> str:
        return _done_text(await self._months.destroy(self._room, periods, self.progress.set_progress))

    def finish(self, text: str) -> None:
        super().finish(text)
        for each in (self._warning, self._host, self._empty, *self.consequences):
            each.hide()


async def destroy_months(parts: ViewParts[ChatService], room: RoomId, window: QWidget) -> None:
    """Shows the dialog that destroys months of the room's conversation. Returns when it is closed."""
    months = parts.service.months
    if months is None:
        return
    dialog = DestroyDialog(window, months, room, await months.read(room))
    bind(dialog, months.changed, dialog.due)
    bind(dialog, parts.service.changed, lambda moved: dialog.due() if moved == room else None)
    await show(dialog)


# -- texts ----------------------------------------------------------------------------------------------------------


def month_texts(month: Month) -> list[str]:
    """The lines of one month: how much is in it, and the dates of the first and the last message; how many messages
    nobody is shown; then that the month has not ended, or how many messages came late, and how many are not sent yet
    and stay."""
    first, last = short_day(day(month.first_t)), short_day(day(month.last_t))
    when = first if first == last else tr("{first} – {last}").format(first=first, last=last)
    texts = [tr("{what}, {when}").format(what=total_text([month]), when=when)]
    texts += _apart_text(month.apart)
    if not month.is_over:
        return [*texts, tr("The month has not ended.")]
    if month.late:
        texts.append(
            trn(
                "{n} of them came more than a month after the month had ended.",
                "{n} of them came more than a month after the month had ended.",
                month.late,
            ).format(n=number(month.late))
        )
    if month.waiting:
        texts.append(
            trn(
                "{n} message of yours is not sent yet. It stays, and you can send it in the present month.",
                "{n} messages of yours are not sent yet. They stay, and you can send them in the present month.",
                month.waiting,
            ).format(n=number(month.waiting))
        )
    return texts


def _apart_text(count: int) -> list[str]:
    """Text: that so many messages which nobody is shown go too; none for 0."""
    if not count:
        return []
    text = trn(
        "{n} more message, which nobody is shown, goes too: a computer's clock was wrong, or the month was full.",
        "{n} more messages, which nobody is shown, go too: a computer's clock was wrong, or the month was full.",
        count,
    )
    return [text.format(n=number(count))]


def total_text(months: Sequence[Month]) -> str:
    """Text: how much is in these months, such as "128 messages and 4 files"."""
    messages, files = sum(m.messages for m in months), sum(m.files for m in months)
    texts = [trn("{n} message", "{n} messages", messages).format(n=number(messages))]
    if files:
        texts.append(trn("{n} file", "{n} files", files).format(n=number(files)))
    return tr("{one} and {other}").format(one=texts[0], other=texts[1]) if files else texts[0]


def months_text(months: Sequence[Month]) -> str:
    """Text: the names of these months, the earliest first."""
    names = [month_text(period) for period in sorted(month.period for month in months)]
    return tr("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1]) if names[1:] else names[0]


def _done_text(gone: Sequence[Month]) -> str:
    if not gone:
        return tr("Nothing was left to dispose of.")
    text = trn(
        "{months} has been disposed of. The server and the members' computers are deleting the messages.",
        "{months} have been disposed of. The server and the members' computers are deleting the messages.",
        len(gone),
    )
    return text.format(months=months_text(gone))


def _refusal_text(code: str) -> str:
    if code == READING:
        return tr("This computer has not read all of the room yet. There may be more messages than are counted here.")
    return sentence(code).text


def _effects() -> tuple[str, ...]:
    return (
        tr("The server deletes the messages, their files and the key that opens them. Each member's computer does so "
           "too, as soon as it is connected: in the conversation, in search, in received files and in read-only "
           "copies."),
        tr("Backups of the server keep the messages until they are replaced. The computer of somebody who is no longer "
           "in the room keeps what it has. What somebody has saved, printed or copied stays, too."),
        tr("Messages that were carried over into a room that continues this one stay there, without their files. Files "
           "of messages that came from an older room stay in that room."),
        tr("Messages that a member has written but not sent yet stay with that member, who can send them in the "
           "present month or discard them."),
        tr("The room shows for ever that you disposed of the month, and when."),
    )  # fmt: skip
