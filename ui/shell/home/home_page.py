# SPDX-License-Identifier: EUPL-1.2
"""Hem: the day, what asks for an answer, what was opened last, and the tools' cards."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.objects.links import ObjectLink
from app.objects.trash import WrittenAfter
from app.people.notices import KeyNotice
from app.rooms.service import ObjectSummary
from app.session import Session
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel, SectionHeader, quiet_card, scroll
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.scale import hold
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import day_or_time, local_now, long_day, tr, week
from ui.shell.home.action_row import Action, ActionRow
from ui.shell.notices.answers import Answers
from ui.shell.notices.lines import NoticeLines
from ui.shell.notices.planned import PlannedList
from ui.shell.room.key_notices import NoticeCard, notice_key
from ui.shell.tool_list import ToolList
from ui.tool_views import RefreshedView

_RECENT = 5


def greeting(hour: int) -> str:
    """The greeting, in the language in force, for an hour of the day (0 to 23)."""
    if hour < 5:
        return tr("Good evening")
    if hour < 10:
        return tr("Good morning")
    if hour < 12:
        return tr("Good day")
    if hour < 18:
        return tr("Good afternoon")
    return tr("Good evening")


class Home(QWidget):
    """The Home page: the day, what asks for an answer, what was opened last, and cards of the tools. It emits
    `link_chosen` (with an ObjectLink) when a row is pressed, and what its other signals say."""

    link_chosen = Signal(object)
    notice_opened = Signal(object)
    """A NoticeRow whose place is wanted."""
    notice_answered = Signal(object)
    """A NoticeRow of which an answer is to be begun."""
    recovery_sheet_wanted = Signal()
    """The person wants to make a recovery sheet."""

    def __init__(
        self,
        session: Session,
        tools: ToolList,
        lines: NoticeLines,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._tools, self._lines = session, tools, lines
        set_props(self, frame="window")
        self.setAccessibleName(tr("Home"))
        inner = QWidget()
        page = column(inner, margins=(34, 16, 34, 24))
        self._date = label("", "muted")
        self._greeting = label("", "home")
        page.addWidget(self._date)
        page.addSpacing(3)
        page.addWidget(self._greeting)
        page.addSpacing(26)
        columns = line(spacing=20)
        self._build_lists()
        left, right = QWidget(), QWidget()
        recent = _stacked(self._recent_host, self._no_recent)
        self._planned_part = _part(tr("Reminders"), self._planned())
        answers, last = _part(tr("Needs an answer"), self._answers()), _part(tr("Opened last"), recent)
        self._fill(left, (answers, self._planned_part, last), 640)
        cards = [(tr(title), make()) for tool in tools.all for title, make in tool.cards]
        self._cards = [card for _, card in cards]
        self._fill(right, [_part(title, _stacked(card)) for title, card in cards], 520)
        columns.addWidget(left, 6)
        columns.addWidget(right, 5)
        columns.addStretch(1)
        page.addLayout(columns)
        page.addStretch(1)
        column(self).addWidget(scroll(inner, tr("Home")))
        soon = Soon(self, self.refresh)
        for signal in (session.rooms.changed, session.people.changed, session.status_changed):
            bind(self, signal, soon.due)
        bind(self, session.notices.changed, soon.due)
        bind(self, session.reminders.changed, soon.due)
        self.refresh()

    def _fill(self, half: QWidget, parts: Sequence[QWidget], width: int) -> None:
        hold(half, most_width=width)
        layout = column(half, spacing=0)
        for part in parts:
            layout.addWidget(part)
        layout.addStretch(1)

    def _build_lists(self) -> None:
        self.answers = Answers(self._session, self._lines)
        self.answers.opened.connect(self.notice_opened)
        self.answers.answered.connect(self.notice_answered)
        self._notices_host, self._asking_host, self._recent_host = QWidget(), QWidget(), QWidget()
        for host in (self._notices_host, self._asking_host, self._recent_host):
            column(host, spacing=10)
        self._notices: KeyedRows[KeyNotice, NoticeCard] = KeyedRows(
            self._notices_host,
            notice_key,
            lambda notice: NoticeCard(self._session.people, notice),
            lambda card, notice: card.show_notice(notice),
        )
        self._asking, self._recent = _actions(self._asking_host), _actions(self._recent_host)
        self._reminder = self._make_reminder()
        self._nothing = quiet_card(tr("Nothing needs your answer right now."))
        self._no_recent = quiet_card(tr("What you open in rooms is found here."))

    def _answers(self) -> QVBoxLayout:
        return _stacked(self._reminder, self._notices_host, self.answers, self._asking_host, self._nothing)

    def _planned(self) -> QVBoxLayout:
        self.planned = PlannedList(self._session, self._tools, self._lines)
        self.planned.opened.connect(self.link_chosen)
        return _stacked(self.planned)

    def showEvent(self, event: object) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Reads everything that the page shows again. Does nothing while the page is hidden."""
        if not self.isVisibleTo(self.window()):
            return
        now = local_now()
        self._date.setText(tr("{day} · week {week}").format(day=long_day(now.date()), week=week(now.date())))
        self._greeting.setText(greeting(now.hour))
        titles = {room.room: room.title for room in self._session.rooms.rooms()}
        reminds = self._session.recovery.reminds
        notices = self._session.people.notices()
        after = [w for w in self._session.trash.written_after() if w.item.room in titles]
        opened = self._tools.listed(self._session.rooms.recent(_RECENT * 8))
        recent = [each for each in opened if self._tools.where(each.room, each.kind, titles)][:_RECENT]
        actions = [self._written_after(each) for each in after]
        asking = self.answers.refresh()
        self._reminder.setVisible(reminds)
        self._notices_host.setVisible(bool(notices))
        self._notices.show(notices)
        self._asking_host.setVisible(bool(actions))
        self._asking.show(actions)
        self.answers.setVisible(bool(asking))
        self._nothing.setVisible(not (reminds or notices or actions or asking))
        self._planned_part.setVisible(bool(self.planned.refresh()))
        self._recent_host.setVisible(bool(recent))
        self._recent.show([self._recent_action(item, titles.get(item.room, "")) for item in recent])
        self._no_recent.setVisible(not recent)
        for card in self._cards:
            if isinstance(card, RefreshedView):
                card.refresh()

    def _make_reminder(self) -> QWidget:
        card = Card(margin=14, spacing=6)
        head = line(spacing=10)
        head.addWidget(IconLabel("security", "warning", 20))
        head.addWidget(label(tr("You have no recovery sheet"), "strong", wrap=True), 1)
        card.content.addLayout(head)
        text = tr("If you lose every device, what you alone could read is gone. Make a sheet and put it away.")
        card.content.addWidget(label(text, "small", wrap=True))
        buttons = FlowLayout(gap=8)
        buttons.addWidget(TextButton(tr("Make a sheet …"), self.recovery_sheet_wanted.emit))
        buttons.addWidget(TextButton(tr("Not now"), self._dismiss, kind="quiet"))
        card.content.addLayout(buttons)
        return card

    def _dismiss(self) -> None:
        run_guarded(self, self._session.recovery.dismiss)
        self.refresh()

    def _written_after(self, notices: WrittenAfter) -> Action:
        names = ", ".join(self._session.people.person(uid).name for uid in notices.by) or tr("Somebody")
        title = notices.item.title or tr("Untitled")
        return Action(
            key=("written-after", notices.item.link),
            icon=self._tools.icon(notices.item.kind),
            title=tr("{names} wrote in “{title}”").format(names=names, title=title),
            detail=tr("You put it in the trash. What was written is kept there."),
            when=day_or_time(notices.t),
            open=lambda: self.link_chosen.emit(notices.item.link),
        )

    def _recent_action(self, item: ObjectSummary, room_title: str) -> Action:
        link = ObjectLink(room=item.room, obj=item.obj, kind=item.kind)
        return Action(
            key=link,
            icon=self._tools.icon(item.kind),
            title=self._tools.title(item, room_title),
            when=day_or_time(item.updated_ms),
            open=lambda: self.link_chosen.emit(link),
            role="muted",
        )


def _part(title: str, content: QVBoxLayout) -> QWidget:
    """A part of the page under its heading."""
    part = QWidget()
    layout = column(part, spacing=0)
    heading = SectionHeader(title)
    set_props(heading, look="big-section")
    layout.addWidget(heading)
    layout.addSpacing(12)
    layout.addLayout(content)
    layout.addSpacing(18)
    return part


def _stacked(*parts: QWidget) -> QVBoxLayout:
    layout = column(spacing=10)
    for part in parts:
        layout.addWidget(part)
    return layout


def _actions(host: QWidget) -> KeyedRows[Action, ActionRow]:
    return KeyedRows(host, lambda action: action.key, ActionRow, lambda row, action: row.show_action(action))
