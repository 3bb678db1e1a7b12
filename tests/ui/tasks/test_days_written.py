# SPDX-License-Identifier: EUPL-1.2
"""How lists write the day when a task is due."""

from datetime import date

from PySide6.QtCore import Qt

from tests.office import HL
from tests.ui.tasks.boards import card, named
from tests.ui.tasks.test_due_field import FRIDAY, desks, today, view
from ui.tasks.my_tasks import due_text
from ui.tasks.view import TasksView

__all__ = ["desks", "today", "view"]


def test_a_day_is_written_alike_on_the_card_in_the_table_and_in_my_tasks(view: TasksView) -> None:
    """And the table puts the days in their order, not in that of the letters."""
    first = view.board.columns()[0].id
    for title, day in (("Nästa år", date(2027, 3, 3)), ("I år", FRIDAY), ("Förra året", date(2025, 12, 24))):
        view.board.add_card(first, title, due=day, assignee=HL)
    assert "förfaller 3 mar 2027" in card(view, "Nästa år").accessibleName()
    named(view, "Tabell").click()
    view.table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    model = view.table.model()
    cells = [model.data(model.index(row, 3)) for row in range(model.rowCount())]
    assert cells == ["24 dec 2025", "4 dec", "3 mar 2027", ""]
    tasks = view._service.my_tasks()
    assert [due_text(task, date(2026, 11, 27))[0] for task in tasks] == ["försenad 24 dec 2025", "4 dec", "3 mar 2027"]
