# SPDX-License-Identifier: EUPL-1.2
"""What a person does with notices in a view, each with a message by which it can be taken back."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import islice

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.notices.service import Mark, NoticeFilter, NoticeId, NoticeRow, Notices, NoticeState
from ui.kit.choose_time import open_time_menu, when_text
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr, trn
from ui.tool_views import toast

_PART = 100


def mark_done(view: QWidget, notices: Notices, row: NoticeRow) -> None:
    """Marks a notice as done, and offers to take it back."""
    if run_guarded(view, lambda: notices.mark_done([row.id])):
        toast(view, tr("Marked as done"), lambda: _restore(view, notices, row))


def ask_later(
    view: QWidget, notices: Notices, row: NoticeRow, *, under: QWidget | None = None, at: QPoint | None = None
) -> None:
    """Opens the menu of times to which a notice can be put off, at the global point `at`, or under the button `under`.
    Undo is offered."""
    open_time_menu(under or view, tr("Remind me later"), partial(_snooze, view, notices, row), at)


def _snooze(view: QWidget, notices: Notices, row: NoticeRow, until_ms: int) -> None:
    notices.snooze([row.id], until_ms)
    text = tr("Comes back {when}").format(when=when_text(until_ms))
    toast(view, text, lambda: _restore(view, notices, row))


def mark_seen(view: QWidget, notices: Notices, rows: Sequence[NoticeRow]) -> None:
    """Marks those of the notices as seen that are new."""
    new = [row.id for row in rows if row.state is NoticeState.NEW]
    if new:
        run_guarded(view, lambda: notices.mark_seen(new))


def mark_new(view: QWidget, notices: Notices, row: NoticeRow) -> None:
    """Makes a notice new again: it is unread, and asks again if it did."""
    run_guarded(view, lambda: notices.mark_new([row.id]))


def bring_back(view: QWidget, notices: Notices, row: NoticeRow) -> None:
    """Makes a notice that was put off new at once, and offers to take that back."""
    if run_guarded(view, lambda: notices.mark_new([row.id])):
        toast(view, tr("The reminder is removed"), lambda: _restore(view, notices, row))


def mark_all_seen(view: QWidget, notices: Notices, wanted: NoticeFilter) -> None:
    """Marks all notices that pass `wanted` as seen, and offers to take it back."""
    run(view, _mark_all_seen(view, notices, wanted))


async def _mark_all_seen(view: QWidget, notices: Notices, wanted: NoticeFilter) -> None:
    marked: list[NoticeId] = []

    def note(changed: Mapping[NoticeId, Mark]) -> None:
        marked.extend(ident for ident, (state, _) in changed.items() if state is NoticeState.SEEN)

    end = notices.marked.connect(note)
    try:
        await notices.mark_all_seen(wanted)
    finally:
        end()
    if marked:
        text = trn("{n} marked as read", "{n} marked as read", len(marked)).format(n=len(marked))
        toast(view, text, lambda: run(view, _renew(notices, marked)))


async def _renew(notices: Notices, ids: Collection[NoticeId]) -> None:
    left = iter(ids)
    while part := list(islice(left, _PART)):
        notices.mark_new(part)
        await asyncio.sleep(0)


def _restore(view: QWidget, notices: Notices, row: NoticeRow) -> None:
    """Gives a notice the state that it had when `row` was read."""

    def restore() -> None:
        if row.state is NoticeState.SNOOZED and row.until is not None:
            notices.snooze([row.id], row.until)
        elif row.state is NoticeState.DONE:
            notices.mark_done([row.id])
        else:
            notices.mark_new([row.id])
            if row.state is NoticeState.SEEN:
                notices.mark_seen([row.id])

    run_guarded(view, restore)
