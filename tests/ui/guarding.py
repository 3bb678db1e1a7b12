# SPDX-License-Identifier: EUPL-1.2
"""Finds what a slot does to a model or a service outside of `run_guarded`.

The rule, in four sentences. A *model* is what a name of MODELS means, wherever it is the last name before the
method: `board`, `self._board` and `self.session.service(TASKS)` all are. Each public method of its classes that is no
coroutine changes something unless READS names it. Such a method may be named (called, or given on as `board.undo.undo`)
only in an argument of one of GUARDS, in a coroutine, whose errors `run` reports, where `try` or `suppress` takes what
it raises, or in a private function of which all this holds wherever the module names it. Everything else is bare: what
it raises would leave its slot half done.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import Office
from app.chat.destroying import Months
from app.chat.keeping import Keeping
from app.chat.service import ChatService
from app.chat.transfers import Transfers
from app.chat.typing import Typing
from app.copies.service import WorkingCopies
from app.devices.service import DeviceService
from app.devices.unsent import UnsentWork
from app.documents.files import DocumentFiles
from app.documents.service import DocumentService
from app.documents.trash import DocumentTrash
from app.notices.service import Notices
from app.objects.live import LiveObjects
from app.objects.undo import Undo
from app.people.notices import KeyWatch
from app.people.service import PeopleService
from app.pin import Pin
from app.presence.service import PresenceService
from app.recovery import Recovery
from app.reminders.service import Reminders
from app.richtext.model import Document
from app.rooms.direct_rooms import DirectRooms
from app.rooms.held import HeldBack
from app.rooms.invitations import Invitations
from app.rooms.nesting import Nesting
from app.rooms.offers import Offers
from app.rooms.pruning import Pruning
from app.rooms.service import RoomService
from app.rooms.succession import Succession
from app.session import Session
from app.settings import Settings
from app.tasks.model import Board
from app.tasks.service import TaskService
from app.tasks.trash import CardTrash
from app.unlocking import Unlocking

MODELS: Mapping[str, tuple[type, ...]] = {
    "board": (Board,),
    "document": (Document,),
    "undo": (Undo,),
    "service": (ChatService, DocumentService, TaskService, LiveObjects),
    "chat": (ChatService,),
    "documents": (DocumentService, LiveObjects),
    "tasks": (TaskService, LiveObjects),
    "trash": (DocumentTrash, CardTrash),
    "tool": (DocumentTrash, CardTrash),
    "files": (DocumentFiles,),
    "transfers": (Transfers,),
    "keeping": (Keeping,),
    "months": (Months,),
    "typing": (Typing,),
    "session": (Session,),
    "rooms": (RoomService,),
    "people": (PeopleService,),
    "notices": (KeyWatch, Notices),
    "reminders": (Reminders,),
    "nesting": (Nesting,),
    "direct": (DirectRooms,),
    "direct_rooms": (DirectRooms,),
    "copies": (WorkingCopies,),
    "pin": (Pin,),
    "devices": (DeviceService,),
    "invitations": (Invitations,),
    "recovery": (Recovery,),
    "succession": (Succession,),
    "offers": (Offers,),
    "pruning": (Pruning,),
    "held": (HeldBack,),
    "presence": (PresenceService,),
    "unsent": (UnsentWork,),
    "settings": (Settings,),
    "unlocking": (Unlocking,),
    "keys": (Unlocking,),
    "office": (Office,),
}
"""The names of models and services in ui/, without an underscore before them, and what they are."""

READS: Mapping[type, str] = {
    Board: "all_cards any_card archived builds_on card cards cards_by_id close column column_of columns diff label"
    " labels put_away reading seen state",
    Document: "block block_start blocks close diff find_block plain_text snapshot split_undo state",
    Undo: "close split together",
    Keeping: "can_keep is_kept is_room_kept",
    Months: "reads_history may_destroy refusal",
    ChatService: "authors can_delete can_edit can_mark_unread channel check_export draft is_destroyed linked may_write"
    " members room_title stranded timeline unread unstored",
    DocumentService: "before begin document_at is_long linked list may_write presence rooms_to_move_to row shown_now"
    " versions",
    TaskService: "before board board_id done_of is_large linked may_write members my_tasks tasks",
    LiveObjects: "begin damaged get holders holding ids models open room_of row shared unsaved unsaved_changes"
    " unsaved_ids",
    DocumentTrash: "of put_away written_after",
    CardTrash: "put_away written_after",
    DocumentFiles: "check_export check_pdf check_print close content",
    Transfers: "failed get of",
    Typing: "now",
    Session: "kept_place linked report service start unstored",
    RoomService: "ended events filling history_proposals history_refusal is_admin may_write members my_role notices"
    " objects opened people_in put_away recent removals removed room rooms sole_owner",
    PeopleService: "close notices person safety_number",
    KeyWatch: "open resets warning",
    Notices: "count is_due list snoozed sources",
    Reminders: "at count list places",
    DirectRooms: "find",
    Nesting: "also_in children former_parents may_end may_make parent parents removed_from_parent titles_within",
    WorkingCopies: "at_rest copies pieces",
    Pin: "state verifier",
    DeviceService: "added_by all invite",
    Invitations: "all answered blocked get more reads",
    Recovery: "asked check_old draw waits",
    Succession: "plan standing",
    Offers: "due held",
    Pruning: "refusal",
    HeldBack: "held large left_out may_copy may_leave_out stalled void waiting",
    PresenceService: "audience of of_me set_in_call set_in_use show",
    UnsentWork: "",
    Settings: "get locked unlock_kinds value",
    Unlocking: "allowed card_available kinds keyring_available lifting opening passphrase_rules",
    Office: "kinds",
}
"""The methods that change nothing that is kept; a new one counts as changing until it is named here. Those that make
something for the caller (`open`, `begin`, `draw`, `invite`) are named here: what is made is needed at once."""

GUARDS = {"run_guarded", "run", "edit_unseen", "time_entries", "open_time_menu"}
"""The functions that call what they are given where its errors are shown."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A place outside of every guard."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


def methods(cls: type) -> set[str]:
    """The public methods of a class that do something as they are called. A coroutine does where it is awaited."""
    return {
        name
        for name, value in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and not inspect.iscoroutinefunction(value)
    }


def changing(name: str) -> frozenset[str]:
    """The methods that change something of the models with this name."""
    found: set[str] = set()
    for cls in MODELS[name]:
        found |= methods(cls) - set(READS[cls].split())
    return frozenset(found)


CHANGING = {name: changing(name) for name in MODELS}


def bare_in(source: str, file: str = "") -> list[Bare]:
    """What is bare in a module's source."""
    return list(_Module(ast.parse(source), file).bare())


def bare_under(folder: Path) -> list[Bare]:
    """What is bare in all modules below a folder."""
    files = sorted(folder.rglob("*.py"))
    return [found for file in files for found in bare_in(file.read_text(encoding="utf-8"), str(file))]


class _Module:
    def __init__(self, tree: ast.Module, file: str) -> None:
        self._tree, self._file = tree, file
        self._above: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._above[child] = node

    def bare(self) -> Iterator[Bare]:
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Attribute):
                continue
            model = _last_name(node.value).lstrip("_")
            if node.attr in CHANGING.get(model, ()) and not self._is_guarded(node, frozenset()):
                yield Bare(self._file, node.lineno, f"{model}.{node.attr}")

    def _is_guarded(self, node: ast.AST, seen: frozenset[str]) -> bool:
        while (above := self._above.get(node)) is not None:
            if isinstance(above, ast.Call) and node is not above.func and _last_name(above.func) in GUARDS:
                return True
            if isinstance(above, ast.AsyncFunctionDef) or _takes_errors(above, node):
                return True
            if isinstance(above, ast.FunctionDef):
                return self._is_named_guarded(above.name, seen)
            node = above
        return False

    def _is_named_guarded(self, name: str, seen: frozenset[str]) -> bool:
        if name in seen or name.startswith("__") or not (name.startswith("_") or self._is_inside(name)):
            return False
        named = [node for node in ast.walk(self._tree) if _last_name(node) == name and _is_own(node)]
        return bool(named) and all(self._is_guarded(node, seen | {name}) for node in named)

    def _is_inside(self, name: str) -> bool:
        """Whether a function of this name is inside a function or a private class."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                above = self._above[node]
                if isinstance(above, ast.FunctionDef) or (isinstance(above, ast.ClassDef) and above.name[0] == "_"):
                    return True
        return False


def _takes_errors(above: ast.AST, node: ast.AST) -> bool:
    """Whether what `node` raises is taken by the `try` or `suppress` around it."""
    if isinstance(above, ast.Try):
        return bool(above.handlers) and node in above.body
    if not isinstance(above, ast.With):
        return False
    calls = [item.context_expr for item in above.items]
    return any(isinstance(call, ast.Call) and _last_name(call.func) == "suppress" for call in calls)


def _is_own(node: ast.AST) -> bool:
    """Whether a name is a function of the module itself, and not a model's method of the same name."""
    return not (isinstance(node, ast.Attribute) and _last_name(node.value).lstrip("_") in MODELS)


def _last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`, `tasks` of `a.service(TASKS)`; "" for anything else."""
    if isinstance(node, ast.Call) and _last_name(node.func) == "service" and len(node.args) == 1:
        return _last_name(node.args[0]).lower()
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
