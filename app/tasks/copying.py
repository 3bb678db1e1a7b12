# SPDX-License-Identifier: EUPL-1.2
"""Makes the changes that copy a board, or cards of one board into another. Stores nothing.

Any thread: each function does its work in many short calls of the CRDT's library, so that a caller's thread gives
Python's lock to the event loop in between.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import closing

from app.core.fractional import spread
from app.core.ids import Uid
from app.objects.crdt import SETUP, CrdtDoc, is_update
from app.objects.crdt.change import Value
from app.objects.pieces import encode
from app.tasks.cards import Card
from app.tasks.descriptions import written
from app.tasks.model import ROOT_MAPS, Board
from app.tasks.new_values import ID_BYTES, card_value, short_id
from app.tasks.order_keys import key_between


def board_changes(old: Board) -> list[bytes]:
    """The data of the changes with which a new board begins, so that it has the whole content of `old`: one change for
    each card, column and label, or several for a long card."""
    updates: list[bytes] = []
    with closing(Board(updates.append)) as new:
        new.fill_from(old)
    return _encoded(updates)


def card_changes(mine: Board, there: Board, me: Uid, t: int) -> tuple[list[bytes], int]:
    """(the data of the changes that copy cards of the board `mine` to the board `there`, how many cards these are); see
    `TaskService.copy_cards`. `me` makes the copies, at `t` (ms).

    A copy's id is computed from its content and its maker. So what was copied before is found, also if the program
    ended before anybody knew that all of it was copied. A card with that id and other content, as a colleague may
    write it, keeps no copy out.
    """
    updates: list[bytes] = []
    last = {column.id: cards[-1].order if (cards := there.cards(column.id)) else None for column in there.columns()}
    first, count = there.columns()[0].id, 0
    with closing(CrdtDoc(maps=ROOT_MAPS, keep_deleted=True)) as doc:
        doc.updated.connect(lambda update: updates.append(update.data))
        for card in (*mine.all_cards(), *mine.archived()):
            made_id = copy_id(card, me)
            if any(same is not None and _holds(same, card) for same in map(there.card, (card.id, made_id))):
                continue
            column = card.column if card.column in last else first
            last[column] = key_between(last[column], None)
            key = made_id if there.any_card(made_id) is None else short_id()
            with doc.transact(SETUP):
                doc.map("cards").set((key,), _copy_value(card, (column, last[column] or ""), me, t))
            count += 1
    return _encoded(updates), count


def _copy_value(card: Card, place: tuple[str, str], me: Uid, t: int) -> dict[str, Value]:
    described = written(card.description, me)
    value = card_value(card.title, described, place, by=me, t=t, assignee=None, due=card.due, labels=())
    return {**value, "checklist": _checklist(card), **({"archived": True} if card.archived else {})}


def _checklist(card: Card) -> dict[str, Value]:
    return {
        short_id(): {"text": item.text, "done": item.done, "order": order}
        for item, order in zip(card.checklist, spread(len(card.checklist)), strict=True)
    }


def copy_id(card: Card, me: Uid) -> str:
    """The id of a copy that the person `me` makes of a card: the same for the same content."""
    lines = [[item.text, item.done] for item in card.checklist]
    due = card.due.isoformat() if card.due else ""
    content = [me.hex(), card.id, card.title, card.description, lines, due, card.archived]
    return hashlib.sha256(json.dumps(content).encode()).digest()[:ID_BYTES].hex()


def _holds(card: Card, copied: Card) -> bool:
    """Whether `card` has the same title and description as `copied`, and every line of its checklist, ticked or not."""
    lines = {item.text for item in card.checklist}
    same = (card.title, card.description) == (copied.title, copied.description)
    return same and all(item.text in lines for item in copied.checklist)


def _encoded(updates: Sequence[bytes]) -> list[bytes]:
    """The form of each update is checked here. Otherwise a long one would be checked on the event loop, where it is
    stored."""
    for update in updates:
        is_update(update)
    return [data for update in updates for data in encode(update)]
