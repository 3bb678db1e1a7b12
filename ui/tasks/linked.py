# SPDX-License-Identifier: EUPL-1.2
"""The line about a card where a message or a text links to it."""

from app.objects.links import Linked
from app.tasks.service import LinkedCard, TaskService
from ui.kit.translate import short_day, tr
from ui.tool import ViewParts


def link_line(parts: ViewParts[TaskService], linked: Linked) -> str:
    """The line under a link to a card: its column, to whom it is assigned, and when it is due; "" for a link to a
    board."""
    if not isinstance(linked, LinkedCard):
        return ""
    found = [linked.column]
    if linked.assignee is not None:
        found.append(tr("assigned to {name}").format(name=parts.people.person(linked.assignee).name))
    if linked.due is not None:
        found.append(tr("due {day}").format(day=short_day(linked.due, parts.now().date())))
    text = " · ".join(part for part in found if part)
    return text[:1].upper() + text[1:]
