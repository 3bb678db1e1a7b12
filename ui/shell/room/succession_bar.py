# SPDX-License-Identifier: EUPL-1.2
"""The bar over a room that stopped, was continued, or continues another: what happened, and what to do now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.core.ids import RoomId
from app.core.visible import one_line
from app.rooms.offers import HeldOffer
from app.rooms.succession import Standing
from app.session import Session
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import IconLabel
from ui.kit.dialogs import show
from ui.kit.folding_row import FoldingRow
from ui.kit.keyed_rows import KeyedRows
from ui.kit.plain import set_tip
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run, run_guarded
from ui.kit.toast import WORDS_PX
from ui.kit.translate import tr, trn
from ui.shell.room.copying_words import format_copying
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.tool_list import ToolList
from ui.tool_views import toast


@dataclass(frozen=True, slots=True)
class _Action:
    text: str
    run: Callable[[], object]
    why_not: str = ""
    room: RoomId | None = None
    """The room that the action opens: two rooms may have the same text."""


class _ActionButton(TextButton):
    """A button of the bar over a room that has stopped or continues another. It runs the action that it shows at the
    moment when it is pressed."""

    def __init__(self, action: _Action) -> None:
        super().__init__(action.text, lambda: self._action.run(), kind="link")
        self._action = action

    def show_action(self, action: _Action) -> None:
        self._action = action
        self.show_text(action.text)
        self.setEnabled(not action.why_not)
        set_tip(self, action.why_not)
        self.setAccessibleDescription(action.why_not)


class SuccessionBar(QFrame):
    """The bar over a room that has stopped, was continued in another room, or continues one: it shows what happened,
    and what the person can do. Hidden if there is nothing to show. It emits `room_chosen` with the other room."""

    room_chosen = Signal(object)

    def __init__(self, session: Session, tools: ToolList, room: RoomId, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tools, self._room = session, tools, room
        words = line(spacing=8)
        self._icon = IconLabel("info", "muted", 16)
        self._text = label("", "small", wrap=True)
        words.addWidget(self._icon)
        words.addWidget(self._text, 1)
        buttons = QWidget()
        line(buttons, spacing=8)
        column(self, margins=(20, 6, 12, 6)).addWidget(FoldingRow(words, buttons, words_px=WORDS_PX))
        self._buttons: KeyedRows[_Action, _ActionButton] = KeyedRows(
            buttons, lambda action: action.room or action.text, _ActionButton, _ActionButton.show_action
        )
        bind(self, session.succession.offers.copying.progressed, self._on_progress)
        self._shown = ("", "", "")
        """Sentence, kind and icon as they are shown."""
        self.hide()

    def refresh(self) -> None:
        """Reads the state of the room again, and which rooms and people are known, and shows what has changed."""
        text, kind, icon, actions = self._format_standing(self._session.succession.standing(self._room))
        self._buttons.show(actions)
        if (text, kind, icon) == self._shown:
            return
        self._shown = text, kind, icon
        if text:
            set_props(self, frame=f"bar-{kind}")
            self._icon.set_icon(icon, "muted" if kind == "info" else kind)
            self._text.setText(text)
            self.setAccessibleName(text)
        self.setVisible(bool(text))

    def _on_progress(self, room: RoomId) -> None:
        if room == self._room:
            self.refresh()

    def text(self) -> str:
        """The text that is shown."""
        return self._text.text()

    def _format_standing(self, s: Standing) -> tuple[str, str, str, list[_Action]]:
        """What the bar shows for the room's state `s`: (sentence, kind of bar, name of the icon, its buttons). An empty
        sentence: the bar is hidden."""
        proof = [_Action(tr("Show evidence"), self.show_evidence)] if s.evidence else []
        if s.restored:
            text = tr("The server has been restored from a backup. What you have is kept and is handed in again.")
            return text, "info", "info", proof
        if s.successors:
            goes_on = [_Action(self._name_of(s, i), self._go(n.room), room=n.room) for i, n in enumerate(s.successors)]
            text = tr("The room goes on in a new one. What is here can be read; what you had not sent is there.")
            return text, "info", "forward", [*goes_on, *proof]
        if s.refusal in (None, "not-owner"):
            why_not = tr("Only an owner can open a successor.") if s.refusal else ""
            text = tr("This room cannot go on: its history no longer fits the server's. What you write waits.")
            if why_not:
                text += " " + tr("An owner can open a room that continues it.")
            open_ = _Action(tr("Open a successor …"), lambda: run(self, self._open()), why_not)
            return text, "danger", "fork", [*proof, open_]
        if s.origin is None:
            return "", "info", "info", []
        known = [r for r in self._session.rooms.rooms() if r.room == s.origin]
        back = [_Action(tr("Open the earlier room"), self._go(s.origin))] if known else []
        copy = self._session.succession.offers.copying.of(self._room)
        if copy is not None:
            stop = _Action(tr("Cancel"), lambda: self._session.succession.offers.copying.stop(self._room))
            return format_copying(copy), "info", "clock", [*([stop] if copy.may_stop else []), *back]
        if s.believed and s.held:
            return self._waits(s.held, back)
        if s.believed:
            return tr("This room continues an earlier one, which can still be read."), "info", "history", back
        if known:
            return (
                tr("This room says that it continues an earlier one, but whoever opened it does not own that. "
                   "What was carried over is shown as quotations."),
                "warning", "warning", back,
            )  # fmt: skip
        return (
            tr("This room says that it continues an earlier one, which you were not in. What was carried over is shown "
               "as quotations."),
            "warning", "warning", [],
        )  # fmt: skip

    def _waits(self, held: Sequence[HeldOffer], back: list[_Action]) -> tuple[str, str, str, list[_Action]]:
        """What the bar shows for own changes of the earlier, stopped room that wait to be brought into this one. `held`
        has at least one object's changes; only one is shown, the first that the person is to be asked about, otherwise
        the first. For that one: why its changes are not here yet, and the question whether to put a copy here, with its
        answers, if it is to be asked now. `back` are the buttons that come last. Returns (sentence, kind of bar, name
        of the icon, its buttons)."""
        first = next((h for h in held if h.asks), held[0])
        text = _lacking(first)
        if not first.asks:
            return text, "info", "clock", back
        question = self._tools.copy_question(first.kind)
        answers = [
            _Action(tr("Put a copy here"), lambda: run(self, self._copy(first))),
            _Action(tr("Ask later"), lambda: self._answer("later", first)),
            _Action(tr("No copy"), lambda: self._answer("no", first)),
        ]
        return f"{text} {question}", "warning", "clock", [*answers, *back]

    async def _copy(self, held: HeldOffer) -> None:
        if await self._session.succession.offer_copy(self._room, held):
            toast(self, tr("The copy is here."))

    def _answer(self, answer: Literal["later", "no"], held: HeldOffer) -> None:
        def act() -> None:
            succession = self._session.succession
            match answer:
                case "later":
                    succession.ask_later(self._room, held)
                case "no":
                    succession.refuse_copy(self._room, held)

        run_guarded(self, act)
        self.refresh()

    def _name_of(self, standing: Standing, at: int) -> str:
        if len(standing.successors) == 1:
            return tr("Open the new room")
        return tr("The one by {name}").format(name=self._session.people.person(standing.successors[at].by).name)

    def _go(self, room: RoomId) -> Callable[[], object]:
        return lambda: self.room_chosen.emit(room)

    async def _open(self) -> None:
        plan = self._session.succession.plan(self._room)
        state = self._session.rooms.room(self._room).sealed_state
        if await show(SuccessorDialog(self.window(), plan, state, self._tools.things())):
            room = await self._session.succession.open(self._room)
            toast(self, tr("The new room is open. Its content follows, then everybody is invited."))
            self.room_chosen.emit(room)

    def show_evidence(self) -> None:
        """Opens the evidence against the server."""
        run(self, self._show_evidence())

    async def _show_evidence(self) -> None:
        await show(EvidenceDialog(self.window(), self._session.succession.standing(self._room)))


def _lacking(held: HeldOffer) -> str:
    """Text: how many own changes of one object of the earlier room are not in this room, which continues it, and why:
    they build on what somebody else has not brought here yet, or somebody else has taken their place, so that they
    never can be."""
    if held.taken:
        text = trn(
            "{n} change of yours in “{title}” cannot be brought here: somebody else has taken its place.",
            "{n} changes of yours in “{title}” cannot be brought here: somebody else has taken their place.",
            held.count,
        )
    else:
        text = trn(
            "{n} change of yours in “{title}” is not here yet. It builds on what somebody else has not brought here.",
            "{n} changes of yours in “{title}” are not here yet. They build on what somebody else has not brought.",
            held.count,
        )
    return text.format(n=held.count, title=one_line(held.title) or tr("Untitled"))
