# SPDX-License-Identifier: EUPL-1.2
"""What rings at its time while the window is in front: a message in the window, with Open and a button that puts it
off."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject

from app.errors import StoreFault
from app.notices.service import NoticeRow
from app.session import Session
from ui.kit.choose_time import in_an_hour
from ui.kit.tasks import report, run, run_guarded
from ui.kit.toast import Toast
from ui.kit.translate import local_now, tr, trn
from ui.shell.notices.lines import NoticeLines


class TimeCome(QObject):
    """Shows reminders, and notices that come back, in the window. `open_notice` goes to the place of one, `open_home`
    to the list of all."""

    def __init__(
        self,
        owner: QObject,
        session: Session,
        toast: Callable[[], Toast],
        lines: Callable[[], NoticeLines],
        open_notice: Callable[[NoticeRow], object],
        open_home: Callable[[], object],
    ) -> None:
        super().__init__(owner)
        self._session, self._toast, self._lines = session, toast, lines
        self._open_notice, self._open_home = open_notice, open_home

    def show(self, rows: Sequence[NoticeRow]) -> None:
        """Shows one message for `rows`, all notices that come now at their time. Open goes to the place of a single
        one, or to Home if there are several. The other button puts `rows` off by an hour."""
        newest = rows[-1]
        act: Callable[[], object] = self._open_home
        text = trn("{n} reminder", "{n} reminders", len(rows)).format(n=len(rows))
        if len(rows) == 1:
            text, act = self._lines().line(newest).title, partial(self._open, newest)
        later = (tr("In an hour"), partial(self._snooze, rows))
        self._toast().show_text(text, act, tr("Open"), other=later)

    def _open(self, row: NoticeRow) -> None:
        run_guarded(self, lambda: self._session.notices.mark_seen([row.id]))
        self._open_notice(row)

    def _snooze(self, rows: Sequence[NoticeRow]) -> None:
        asking = [row.id for row in rows if row.asks]
        again = partial(self._snooze, rows)
        run(
            self,
            self._session.notices.snooze_all(asking, in_an_hour(local_now())),
            on_error=lambda error: report(self, error, again if isinstance(error, StoreFault) else None),
        )
