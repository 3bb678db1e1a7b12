# SPDX-License-Identifier: EUPL-1.2
"""Every view as a step: how to get there, and how to leave it as it was. Names are the pictures' file names."""

from functools import partial
from unittest.mock import patch

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget

from app.core.clock import now_ms
from app.core.enums import LinkState, Role
from app.core.i18n import tr
from app.core.ids import ObjId
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import BugError, DiskFull
from app.licences import load
from app.people.person import Person
from app.rooms.pruning import PrunableObject, PrunePlan
from app.unstored import Unstored
from tests.shots import dates, devices, inviting, managed, papers
from tests.shots import story as told
from tests.shots.camera import quiet
from tests.shots.recovering import RECOVERING
from tests.shots.scene import Scene, Step, dialog
from tests.shots.stopped import go_on, propose_history, restore, stop
from tests.ui.finding import toast_of
from tests.world import until
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.kit import qr
from ui.kit.bug_dialog import BugDialog
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.prune_dialog import PruneDialog
from ui.shell.room.security_dialog import SecurityDialog
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.settings.diagnosis_dialog import DiagnosisDialog
from ui.shell.settings.keys_card import PassphraseDialog
from ui.shell.settings.licences_dialog import LicencesDialog
from ui.shell.window.quitting import QuitDialog
from ui.tasks.archive import ArchiveDialog
from ui.tasks.view import TasksView

# -- the way in -------------------------------------------------------------------------------------------------------


async def welcome(s: Scene) -> QWidget:
    s.gate.setCentralWidget(WelcomeView(s.new_office()))
    return s.gate


async def welcome_error(s: Scene) -> QWidget:
    view = WelcomeView(s.new_office(), server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText("ABCD-EFGH-JKMN-PQRS")
    view.look_up()
    await until(view.code_page.error.isVisible)
    return s.gate


async def key_page(s: Scene) -> QWidget:
    view = WelcomeView(s.new_office(), server=s.story.desks[0].server)
    s.gate.setCentralWidget(view)
    view.code.setText(s.code)
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    view.key_page.keys.by_passphrase.setChecked(True)
    view.key_page.keys.passphrase.setText("fyra vanliga ord i rad")
    return s.gate


async def unfinished(s: Scene) -> QWidget:
    s.gate.setCentralWidget(UnfinishedView(s.story.desks[0].office.unlock, None))
    return s.gate


async def unlock_error(s: Scene) -> QWidget:
    view = UnlockView(s.story.desks[0].office.unlock)
    s.gate.setCentralWidget(view)
    assert view.field is not None
    view.field.setText("fel lösenfras")
    view.unlock()
    await until(view.error.isVisible)
    return s.gate


# -- the window -------------------------------------------------------------------------------------------------------


async def section(s: Scene, name: str) -> QWidget:
    s.window.go_section(name)
    return s.window


async def room(s: Scene, title: str, tab: str) -> QWidget:
    view = s.room(title, tab).current_view()
    if isinstance(view, DocumentsView):
        view.show_list()
    if isinstance(view, TasksView):
        view.editor.close_card()
        _segment(view, 0)
    if isinstance(view, ChatView):
        view.composer.field.setFocus()
    return s.window


def _segment(view: TasksView, number: int) -> None:
    from PySide6.QtWidgets import QButtonGroup

    group = view.findChild(QButtonGroup)
    assert group is not None
    group.button(number).click()


async def reply(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat").current_view()
    assert isinstance(view, ChatView)
    timeline = view.model.timeline
    view.composer.reply(timeline.message(2), "Enhetschef")
    view.composer.field.insertPlainText("Ja, det är ändrat i **utkastet** nu.")
    s.ends.append(view.composer.clear)
    return s.window


async def editor(s: Scene) -> QWidget:
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    view.open(s.story.draft)
    assert view.document is not None
    mine = view.document.editor
    text = mine.document().toPlainText()
    cursor = mine.textCursor()
    cursor.setPosition(text.index("detta inte har skett i den") + 26)
    mine.setTextCursor(cursor)
    theirs = s.story.head.service(DOCUMENTS)
    document = theirs.open(s.story.draft)
    await until(lambda: "aktbilaga 14" in document.plain_text())
    at = document.plain_text().index("kompletterat")
    theirs.enter(s.story.draft, lambda: (at, at + 40))
    theirs.moved(s.story.draft)
    service = s.story.me.service(DOCUMENTS)
    await until(lambda: bool(service.presence(s.story.draft)))
    s.ends += [view.show_list, partial(theirs.leave, s.story.draft), partial(theirs.close, s.story.draft)]
    return s.window


async def find(s: Scene) -> QWidget:
    await editor(s)
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    assert view.document is not None
    view.document.find_bar.open()
    view.document.find_bar.field.setText("beslut")
    return s.window


async def card(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    view.editor.open_card(s.story.card)
    s.ends.append(view.editor.close_card)
    return s.window


async def card_menu(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    view.kanban.card_menu_asked.emit(s.story.card, s.window.mapToGlobal(QPoint(620, 300)))
    menu = QApplication.activePopupWidget()
    if isinstance(menu, QMenu):
        s.ends.append(menu.close)
    return s.window


async def archive(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    put_away = [card.id for card in view.board.all_cards()[-2:]]
    for card_id in put_away:
        view.board.archive_card(card_id)
    shown = dialog(s, ArchiveDialog(s.window, view.board))
    s.ends += [partial(view.board.archive_card, card_id, False) for card_id in put_away]
    return shown


async def licences(s: Scene) -> QWidget:
    s.window.go_section("settings")
    shown = LicencesDialog(s.window, load)
    taken = dialog(s, shown)
    await until(lambda: bool(shown.list.rows.rows))
    shown.field.setText("qt")
    shown.list.step(-1)
    return taken


async def report(s: Scene) -> QWidget:
    s.window.go_section("settings")
    return dialog(s, DiagnosisDialog(s.window, s.story.me.report()))


async def bug(s: Scene) -> QWidget:
    """A fault of ours, three times."""
    s.room(told.CASE, "tasks")
    return dialog(s, BugDialog(s.window, BugError(), "bug-kanban-165", 3))


async def quitting(s: Scene) -> QWidget:
    """The disk is full, and something was written in three places."""
    s.room(told.CASE, "documents")
    case = s.story.me.rooms.room(s.story.rooms[told.CASE]).title
    lost = [
        Unstored(title="Utkast till beslut", room=case, draft=False),
        Unstored(title="Uppgifter", room=case, draft=False),
        Unstored(title="", room=told.PERMIT, draft=True),
    ]
    return dialog(s, QuitDialog(s.window, DiskFull(), lambda: None, lambda: lost))


async def settings_keys(s: Scene) -> QWidget:
    s.window.go_section("settings")
    keys = s.window.settings_view.keys
    next(b for b in keys.findChildren(QAbstractButton) if b.accessibleName() == tr("Change the passphrase")).click()
    await until(lambda: any(d.isVisible() for d in s.window.findChildren(PassphraseDialog)))
    shown = next(d for d in s.window.findChildren(PassphraseDialog) if d.isVisible())
    s.ends.append(shown.reject)
    return s.window


async def table(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    _segment(view, 1)
    s.ends.append(partial(_segment, view, 0))
    return s.window


async def palette(s: Scene, text: str) -> QWidget:
    s.window.go_section("home")
    s.window.open_palette()
    s.window.palette_view.open(text)
    await until(lambda: not s.window.palette_view.asking)
    s.ends.append(s.window.palette_view.dismiss)
    return s.window


async def search(s: Scene, text: str) -> QWidget:
    s.window.search_for(text)
    await until(lambda: not s.window.content.search_view.asking)
    return s.window


async def toast(s: Scene) -> QWidget:
    s.window.go_section("tasks")
    s.window.toast(tr("“{title}” is in the trash").format(title="Begär in komplettering"), lambda: None)
    s.ends.append(toast_of(s.window).hide)
    return s.window


async def new_room(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    return dialog(s, NewRoomDialog(s.window, s.window.tools.things()))


async def add_member(s: Scene) -> QWidget:
    s.room(told.EMPTY, "chat")
    me = s.story.me
    made = AddMemberDialog(s.window, me.people, {me.people.me.uid}, Role.OWNER)
    made.search.field.setText("e")
    await made.search.look_for(told.HEAD)
    return dialog(s, made)


async def role(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    me = s.story.me
    return dialog(s, RoleDialog(s.window, me.people.person(s.story.uid(s.story.head)), Role.ADMIN, Role.OWNER))


def _verify(s: Scene, person: Person) -> VerifyDialog:
    people = s.story.me.people
    number = people.safety_number(person.uid)
    return VerifyDialog(s.window, person, number, people.my_code, partial(people.read_code, person.uid))


async def safety_number_differs(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    shown = _verify(s, s.story.me.people.person(s.story.uid(s.story.head)))
    theirs = s.story.uid(s.story.head)
    shown.reader.read(qr.image(f"kansli:verify?uid={theirs.hex()}&genesis={'5a' * 32}"))
    return dialog(s, shown)


async def seal(s: Scene, title: str) -> QWidget:
    view = s.room(title, "chat")
    me = s.story.me
    report, standing = await me.seals.report(view.room), me.succession.standing(view.room)
    return dialog(s, SecurityDialog(s.window, me.seals.level(view.room), report, standing, lambda: None))


async def key_notices(s: Scene, section: str) -> QWidget:
    me = s.story.me
    head, registrar = s.story.uid(s.story.head), s.story.uid(s.story.registrar)
    me.store.key_notices.advance(head, 0, [("device-added", 1)])
    if section == "home":
        me.store.key_notices.put(registrar, "duplicate", other=bytes(16))
    me.notices._emit_changed()

    def end() -> None:
        for notice in me.people.notices():
            me.people.dismiss(notice)
        with me.store.transaction():
            me.store.db.conn.execute("DELETE FROM key_notices")
        me.notices._emit_changed()

    s.ends.append(end)
    if section == "home":
        s.window.go_section("home")
    else:
        s.room(told.CASE, "chat")
    return s.window


async def clear_history(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    day_ms = 86_400_000
    now = now_ms()

    def paper(title: str, items: int, lacks: str | None = None) -> PrunableObject:
        return PrunableObject(
            obj=ObjId(title.encode()[:16].ljust(16)), kind="document", title=title, items=items,
            size_bytes=items * 210, lacks=lacks, from_ms=now + 11 * day_ms,
        )  # fmt: skip

    plan = PrunePlan(
        refusal=None,
        ready=(paper("Utkast till beslut", 5310, "baseline"), paper("Ärendets uppgifter", 1102)),
        lacking=(paper("Yttrande från kommunen", 812, "early"), paper("Minnesanteckningar", 640, "snapshot")),
        newcomers=(s.story.me.people.person(s.story.uid(s.story.registrar)),),
    )
    return dialog(s, PruneDialog(s.window, s.story.me.pruning, s.window.tools, view.room, plan))


async def clear_history_now(s: Scene) -> QWidget:
    """What the sample rooms really have to clear: they are young and small."""
    view = s.room(told.EMPTY, "chat")
    pruning = s.story.me.pruning
    return dialog(s, PruneDialog(s.window, pruning, s.window.tools, view.room, await pruning.plan(view.room)))


async def stopped_seal(s: Scene) -> QWidget:
    stop(s.story, s.story.rooms[told.COMPLAINT])
    return await seal(s, told.COMPLAINT)


async def safety_number(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    person = s.story.me.people.person(s.story.uid(s.story.head))
    return dialog(s, _verify(s, person))


async def member_menu(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    members = s.story.me.rooms.members(view.room)
    other = next(m for m in members if m.person.name == told.REGISTRAR)
    view.panel._member_menu(view.panel, other)
    menu = QApplication.activePopupWidget()
    if isinstance(menu, QMenu):
        s.ends.append(menu.close)
    return s.window


async def offline(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    await until(lambda: s.story.me.status.state is LinkState.OFFLINE)
    return s.window


async def older_history(s: Scene) -> QWidget:
    """A room whose snapshots are shown while what stands before them is still read."""
    me, room = s.story.me, s.story.rooms[told.CASE]
    reading = patch.object(me.engine, "reread_progress", lambda asked: (2516, 6800) if asked == room else None)
    reading.start()
    s.ends += [partial(me.on_room, room), reading.stop]
    s.room(told.CASE, "chat")
    me.on_room(room)
    return s.window


# -- rooms that stopped -----------------------------------------------------------------------------------------------


async def stopped(s: Scene) -> QWidget:
    stop(s.story, s.story.rooms[told.COMPLAINT])
    s.room(told.COMPLAINT, "chat")
    return s.window


async def restored(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    restore(s.story, room)
    s.ends.append(lambda: s.story.me.engine.parts.link.rooms[room].reset_connection_state())
    s.room(told.PERMIT, "chat")
    return s.window


async def successor_dialog(s: Scene) -> QWidget:
    await stopped(s)
    room = s.story.rooms[told.COMPLAINT]
    return dialog(s, SuccessorDialog(s.window, s.story.me.succession.plan(room), "fork", s.window.tools.things()))


async def evidence(s: Scene) -> QWidget:
    await stopped(s)
    room = s.story.rooms[told.COMPLAINT]
    return dialog(s, EvidenceDialog(s.window, s.story.me.succession.standing(room)))


async def replaced(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    await go_on(s.story, room)
    s.room(told.PERMIT, "chat")
    return s.window


async def replaced_board(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    await go_on(s.story, room)
    s.room(told.PERMIT, "tasks")
    return s.window


async def successor(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    s.window.open_room(await go_on(s.story, room))
    view = s.window.current_room()
    assert view is not None
    view.show_tool("chat")
    return s.window


async def history_proposal(s: Scene) -> QWidget:
    await propose_history(s.story, s.story.rooms[told.UNIT])
    s.room(told.UNIT, "chat")
    return s.window


VIEWS: dict[str, Step] = {
    "welcome": welcome,
    "welcome-error": welcome_error,
    "key-page": key_page,
    "unfinished": unfinished,
    "unlock-error": unlock_error,
    "home": partial(section, name="home"),
    "chat": partial(room, title=told.CASE, tab="chat"),
    "chat-reply": reply,
    "chat-more": partial(room, title=told.PERMIT, tab="chat"),
    "chat-empty": partial(room, title=told.EMPTY, tab="chat"),
    "documents": partial(room, title=told.CASE, tab="documents"),
    "documents-empty": partial(room, title=told.EMPTY, tab="documents"),
    "editor": editor,
    "find": find,
    "board": partial(room, title=told.CASE, tab="tasks"),
    "board-empty": partial(room, title=told.EMPTY, tab="tasks"),
    "card": card,
    "card-menu": card_menu,
    "archive": archive,
    "table": table,
    "my-tasks": partial(section, name="tasks"),
    "palette": partial(palette, text=""),
    "palette-found": partial(palette, text="ut"),
    "search": partial(search, text="aktbilaga"),
    "search-none": partial(search, text="xyzzy"),
    "settings": partial(section, name="settings"),
    "settings-keys": settings_keys,
    "licences": licences,
    "report": report,
    "bug": bug,
    "quitting": quitting,
    **dates.VIEWS,
    **papers.VIEWS,
    **managed.VIEWS,
    **devices.VIEWS,
    "toast": toast,
    "new-room": new_room,
    "add-member": add_member,
    "role": role,
    "safety-number": safety_number,
    "safety-number-differs": safety_number_differs,
    "seal": partial(seal, title=told.CASE),
    "keys-home": partial(key_notices, section="home"),
    "keys-room": partial(key_notices, section="room"),
    "older-history": older_history,
    "clear-history": clear_history,
    "clear-history-nothing": clear_history_now,
    "member-menu": member_menu,
    **RECOVERING,
}
STOPPED: dict[str, Step] = {
    "stopped": stopped,
    "restored": restored,
    "successor-dialog": successor_dialog,
    "evidence": evidence,
    "stopped-seal": stopped_seal,
    "replaced": replaced,
    "replaced-board": replaced_board,
    "successor": successor,
    "history-proposal": history_proposal,
    **inviting.VIEWS,
}
"""Taken after the others: what they do to the rooms cannot be undone."""
OFFLINE: dict[str, Step] = {"offline": offline}
"""Taken last: the server is stopped for them."""


async def leave(s: Scene) -> None:
    """Puts back what a view changed."""
    ends, s.ends = s.ends, []
    for end in reversed(ends):
        end()
    await quiet(1)
