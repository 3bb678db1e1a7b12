# SPDX-License-Identifier: EUPL-1.2
"""The notices that changes of a board make for this person: a card was given to them, or theirs was changed.

▲ Each change is judged once, when it is received: by the person who signed it, and by the card before and after it was
merged. The merged state alone would name the wrong person, and ring again when a late change comes or somebody undoes.
"""

from collections.abc import Collection, Mapping

from app.core.ids import ObjId, Uid
from app.store import notice_rows
from app.store.connection import Connection
from app.store.notice_rows import Notice, NoticeKind, of_change
from app.store.rows import StoredChange
from app.tasks.model import Board, Card

GIVEN = NoticeKind(id="task-given", asks=True, personal=True, merges=True)
"""Somebody gave the person a card. Answered when the person changes the card; taken back when it is not theirs."""
CHANGED = NoticeKind(id="task-changed", asks=False, merges=True)
"""Somebody changed a card of the person; `detail` names what, with commas: FIELDS, "column", "archived", "deleted" or
"assignee" (it is theirs no more)."""
DUE = NoticeKind(id="task-due", asks=True, personal=True)
OVERDUE = NoticeKind(id="task-overdue", asks=True, personal=True)
"""app/tasks/due.py makes these two."""
KINDS = (GIVEN, CHANGED, DUE, OVERDUE)
FIELDS = ("title", "description", "due", "labels", "checklist", "archived", "deleted", "assignee")


def judge(
    change: StoredChange, me: Uid, before: Mapping[str, Card], board: Board, touched: Collection[str]
) -> list[Notice]:
    """The notices that one change of somebody else makes for the person `me`. `before`: the board's cards before it was
    merged into `board`; `touched`: those that it touched."""
    found = [(card, before.get(card), board.any_card(card)) for card in sorted(touched)]
    return [notice for card, old, new in found if (notice := _notice(change, me, card, old, new)) is not None]


def _notice(change: StoredChange, me: Uid, card: str, old: Card | None, new: Card | None) -> Notice | None:
    was_mine = old is not None and old.assignee == me
    if new is not None and new.assignee == me and not was_mine:
        return None if new.hidden else of_change(GIVEN, change, ref=card.encode())
    if old is None or not was_mine or old.hidden:
        return None
    what = ["deleted"] if new is None else [name for name in FIELDS if getattr(old, name) != getattr(new, name)]
    what += ["column"] if new is not None and old.column != new.column else []
    return of_change(CHANGED, change, ref=card.encode(), detail=",".join(what)) if what else None


def settle(
    conn: Connection, obj: ObjId, me: Uid, board: Board, touched: Collection[str], own: StoredChange | None
) -> None:
    """Brings, within the caller's transaction, the notices about the cards `touched` up to date. What is not the
    person's any more is taken back. `own`: the person's own change that touched them, which answers; None if somebody
    else did."""
    for each in touched:
        card, ref = board.any_card(each), each.encode()
        if own is not None:
            notice_rows.answer(conn, obj, own.n, ref)
        if card is None or card.assignee != me or card.hidden:
            notice_rows.hide(conn, obj, ref, (GIVEN,))
        elif own is not None:
            notice_rows.unhide(conn, obj, ref)
