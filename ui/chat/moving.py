# SPDX-License-Identifier: EUPL-1.2
"""Which message a key goes to in the conversation."""

from PySide6.QtWidgets import QAbstractItemView

Action = QAbstractItemView.CursorAction


def row_after(action: Action, now: int, count: int, page: int) -> int | None:
    """The row that the key for `action` leads to from the row `now` (-1: none is chosen, so one begins at the end), of
    `count` rows, never beyond the first or last; `page` is the number of rows for Page Up and Down. Any other
    `action` leads to `now`. None if there are no rows."""
    step = {
        Action.MoveUp: -1,
        Action.MovePrevious: -1,
        Action.MoveDown: 1,
        Action.MoveNext: 1,
        Action.MovePageUp: -page,
        Action.MovePageDown: page,
        Action.MoveHome: -count,
        Action.MoveEnd: count,
    }.get(action, 0)
    start = now if now >= 0 else count
    return max(0, min(count - 1, start + step)) if count else None
