# SPDX-License-Identifier: EUPL-1.2
"""Makes the notices about changes of a board: somebody gave this person a card, or changed one of their cards.

▲ Each change is judged once, when it is received: by the person who signed it, and by the card before and after the
change was merged. The merged state alone names nobody. With it, a late change or an undo could ring for what another
person did.
"""

from collections.abc import Collection, Mapping

from app.core.ids import ObjId, Uid
from app.store import notice_rows
from app.store.connection import Connection
from app.store.notice_rows import Notice, NoticeKind, of_change
from app.store.rows import StoredChange
from app.tasks.model import Board, Card

GIVEN = NoticeKind(id="task-given", asks=True, personal=True, merges=True)
"""Somebody gave the person a card. It is answered when the person changes the card, and withdrawn when the card is no
longer theirs, archived or deleted."""
CHANGED = NoticeKind(id="task-changed", asks=False, merges=True)
"""Somebody changed a card of the person. `detail` has the changed FIELDS and "column", joined by commas. "assignee":
the card is no longer theirs."""
DUE = NoticeKind(id="task-due", asks=True, personal=True, by_turns=True)
OVERDUE = NoticeKind(id="task-overdue", asks=True, personal=True, by_turns=True)
"""A card of the person is due today (DUE) or was due earlier (OVERDUE). app/tasks/due.py makes these two kinds."""
KINDS = (GIVEN, CHANGED, DUE, OVERDUE)
FIELDS = ("title", "description", "due", "labels", "checklist", "archived", "deleted", "assignee")


def judge(
    change: StoredChange, me: Uid, before: Mapping[str, Card], board: Board, touched: Collection[str]
) -> list[Notice]:
    """Returns the notices that one change of another person makes for the person `me`. `before`: the cards, by id,
    before the change was merged into `board`. `touched`: the ids of the cards that it changed."""
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
    """Updates, in the caller's transaction, the notices about the cards with the ids `touched`. GIVEN is hidden if the
    card is not this person's, archived or deleted. `own`: the person's own change, which answers the notices about
    these cards; None if another person made the change."""
    for each in touched:
        card, ref = board.any_card(each), each.encode()
        if own is not None:
            notice_rows.answer(conn, obj, own.n, ref)
        if card is None or card.assignee != me or card.hidden:
            notice_rows.hide(conn, obj, ref, (GIVEN,))
        elif own is not None:
            notice_rows.unhide(conn, obj, ref)
