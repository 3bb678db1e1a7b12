# SPDX-License-Identifier: EUPL-1.2
"""The words of the notices that boards make: a task was given or changed, is due or overdue."""

from app.notices.service import NoticeRow
from app.tasks import noticing
from app.tasks.service import TaskService
from ui.kit.translate import tr, trn
from ui.tool import ShownNotice


def _parts(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _given(_notice: NoticeRow, who: str, room: str, text: str) -> tuple[str, str]:
    return tr("You were given a task in {room}").format(room=room), _parts(text, who)


def _changed(notice: NoticeRow, who: str, room: str, text: str) -> tuple[str, str]:
    names = {
        "title": tr("title"),
        "description": tr("description"),
        "due": tr("due date"),
        "labels": tr("labels"),
        "checklist": tr("checklist"),
        "column": tr("column"),
        "archived": tr("archived"),
        "deleted": tr("in the trash"),
        "assignee": tr("no longer yours"),
    }
    what = ", ".join(names[code] for code in notice.detail.split(",") if code in names)
    return tr("Your task in {room} was changed").format(room=room), _parts(text, what, who)


def _due(_notice: NoticeRow, _who: str, room: str, text: str) -> tuple[str, str]:
    return tr("A task is due today in {room}").format(room=room), text


def _overdue(_notice: NoticeRow, _who: str, room: str, text: str) -> tuple[str, str]:
    return tr("A task is overdue in {room}").format(room=room), text


NOTICES: tuple[ShownNotice[TaskService], ...] = (
    ShownNotice(
        kind=noticing.GIVEN.id,
        icon="tasks",
        name="Tasks given to me",
        words=_given,
        hidden=lambda n: trn("You were given {n} task.", "You were given {n} tasks.", n).format(n=n),
        linked=TaskService.linked,
        counted=False,
    ),
    ShownNotice(
        kind=noticing.CHANGED.id,
        icon="edit",
        name="Changes of my tasks",
        words=_changed,
        hidden=lambda n: trn("{n} of your tasks was changed.", "{n} of your tasks were changed.", n).format(n=n),
        linked=TaskService.linked,
        counted=False,
    ),
    ShownNotice(
        kind=noticing.DUE.id,
        icon="due",
        name="Tasks due",
        words=_due,
        hidden=lambda n: trn("{n} task is due today.", "{n} tasks are due today.", n).format(n=n),
        linked=TaskService.linked,
        counted=False,
    ),
    ShownNotice(
        kind=noticing.OVERDUE.id,
        icon="warning",
        name="Tasks overdue",
        words=_overdue,
        hidden=lambda n: trn("{n} task is overdue.", "{n} tasks are overdue.", n).format(n=n),
        linked=TaskService.linked,
        counted=False,
    ),
)
