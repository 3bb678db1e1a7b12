# SPDX-License-Identifier: EUPL-1.2
"""One unlocked account: its store, its engine, and every tool's service. Each part is a scope within those that it is
built on (app/scopes.py): app/arrival/place.py opens them, and `Session.close` closes them in the reverse order."""

import asyncio
from collections.abc import Callable, Sequence

from app import diagnosis
from app.copies.service import working_copies
from app.core import clock, garbage
from app.core.alarms import Alarms
from app.core.delay import LoopTimer
from app.core.enums import LinkState
from app.core.ids import DevId, RoomId, Uid
from app.core.signal import Signal
from app.devices.admission import Admission
from app.devices.contact import Contact
from app.devices.service import DeviceService
from app.devices.unsent import UnsentWork
from app.errors import BugError, NotStored, StoreFault
from app.kinds import room_kinds_of
from app.notices import kinds as notice_kinds
from app.notices.standing import StandingNotices
from app.objects.files import SealedFiles
from app.objects.kept_offline import KeptOffline
from app.objects.links import Linked, ObjectLink
from app.objects.trash import Trash
from app.open_tools import OpenTools
from app.own.drafts import OwnDrafts
from app.own.pruning import OwnPruning
from app.own.reads import ReadMarks
from app.own.room import OwnRoom
from app.own.room_order import RoomOrder
from app.own.room_wishes import RoomWishes
from app.own.service import Own
from app.own.settings_followed import SettingsFollowed
from app.own.status import OwnStatus
from app.people.notices import KeyWatch
from app.people.service import PeopleService
from app.personal.answers import InvitationAnswers
from app.personal.service import Personal
from app.presence.common_rooms import CommonRooms
from app.presence.wiring import presence
from app.profile import Profile
from app.recovery import Recovery
from app.reminders.wiring import open_notices, turns_of
from app.rooms.arrivals import Arrivals
from app.rooms.destroying import Destroying
from app.rooms.direct_rooms import DirectRooms
from app.rooms.formats import DeviceFormats
from app.rooms.held import HeldBack
from app.rooms.invitations import Invitations
from app.rooms.nesting import Nesting
from app.rooms.pruning import Pruning
from app.rooms.security_status import SecurityStatuses
from app.rooms.service import RoomService
from app.rooms.succession import Succession
from app.scopes import Scopes, lasting, report
from app.setting import Setting, Switch
from app.settings import (
    ALLOW_EXPORT,
    ALLOW_PRINT,
    RECEIVED_FILES_MB,
    SHOW_PRESENCE,
    SHOW_READING,
    SHOW_TYPING,
    Settings,
)
from app.store.cache_upkeep import MB, CacheLimit
from app.store.search import Search
from app.store.store import Store
from app.tool import AnyTool, AppTool, KindRules, Parts, S, Unsaved
from app.unstored import Unstored, named
from sync.client.engine import Engine
from sync.client.ports import PRESENCE
from sync.client.status import SyncStatus
from sync.client.wire.transport import Dialer

__all__ = ["Session", "SyncStatus"]

_PLACE = "place"


class Session:
    """One unlocked account, with everything that a window works with: its store, its connection to the server, and the
    services of the tools. Lives on the event loop; call `start` once and `close` once."""

    def __init__(
        self,
        scopes: Scopes,
        profile: Profile,
        settings: Settings,
        store: Store,
        tools: Sequence[AnyTool],
        dialer: Dialer,
        others: Callable[[], Sequence[Dialer]] = tuple,
    ) -> None:
        """Opens the parts and the tools as scopes within `scopes`, which `close` closes, those of the caller included.
        `dialer` opens connections to the account's server, `others` returns those for all servers that policy names
        now, which are tried if that one fails. Refused("unknown-user") if the store holds no account; BugError if
        two tools own the same id or kind. After an error the caller closes the scopes."""
        self._scopes = scopes
        self.profile, self.settings, self.store = profile, settings, store
        self._was_online = self._closed = False
        self.status_changed: Signal[()] = Signal()
        self.search: Search = store.search
        self.engine = Engine(store, dialer, self, clock.now_ms, others)
        enter = scopes.enter
        self.key_watch = enter("key-watch", KeyWatch(store.key_notices, store.people, self.engine))
        self.people = enter("people", PeopleService(store.people, self.engine, self.key_watch))
        starters = [each for tool in tools for each in tool.starters]
        self.rooms = enter("rooms", RoomService(store, self.engine, self.people, starters))
        self.pruning = Pruning(store, self.engine, self.people, self.rooms.baselines)
        self._formats = DeviceFormats(store, self.engine, room_kinds_of(tools))
        self.seals = SecurityStatuses(store, self.engine, self.people, self._formats)
        self.recovery = Recovery(self.engine, self.people, settings, store.db)
        self.succession = Succession(store, self.engine, self.rooms)
        self.personal = enter("personal", Personal(store, self.engine, self.people, self.rooms.announce))
        self.own_room = enter("own-room", OwnRoom(self.personal))
        self.own_pruning = OwnPruning(self.own_room.rooms, self.engine)
        mine, announce = self.engine.devices.mine, self.rooms.announce
        self.own = enter("own", Own(store, mine, self.own_room, announce, is_online=self._is_online))
        self.reads = enter("reads", ReadMarks(self.own, store))
        self.drafts = enter("drafts", OwnDrafts(self.own))
        self.wishes = enter("wishes", RoomWishes(self.own, self.rooms))
        self.room_order = enter("room-order", RoomOrder(self.own))
        self._settings_followed = enter("settings-followed", SettingsFollowed(self.own, settings))
        self.devices = enter("devices", DeviceService(store, self.engine, self.people, self.personal))
        answers = InvitationAnswers(self.personal)
        self.invitations = enter("invitations", Invitations(store, self.engine, self.people, settings, answers))
        self._arrivals = enter("arrivals", Arrivals(store, self.engine, answers, self._formats))
        self.engine.ask_first(self.invitations)
        self._contact = Contact(store.notes, settings)
        self._admission = Admission(self.engine, self.people, self._contact, settings)
        self.unsent = UnsentWork(store, self.engine, self.rooms.may_write)
        self._common_rooms = enter("common-rooms", CommonRooms(store, self.engine, self.rooms.room_changed))
        self._timer = LoopTimer()
        self.alarms = enter("alarms", Alarms(self._timer.later))
        later, shared = self._timer.later, OwnStatus(self.own)
        self.presence = enter("presence", presence(store, self.engine, settings, self._common_rooms, later, shared))
        self.files = SealedFiles(store.blobs, self.engine.blobs)
        self.kept_offline = enter("kept-offline", KeptOffline(self.files, lambda: self._was_online))
        store.cache_upkeep.chosen = self._cache_limit
        self.copies = working_copies(store, profile, self.devices)
        self._switches: dict[str, Switch] = {}
        kinds = [*notice_kinds.KINDS, *(each for tool in tools for kind in tool.store_kinds for each in kind.notices)]
        self.turns = turns_of(self.engine, self.own_room)
        opened = open_notices(scopes, store, self.own, self.alarms, self.turns, kinds, settings)
        self.notices, self.reminders, self._notice_marks = opened.notices, opened.reminders, opened.marks
        self.direct_rooms = DirectRooms(store, self.engine, self.rooms)
        self.nesting = enter("nesting", Nesting(store, self.engine, self.rooms))
        standing = StandingNotices(self.notices, store, self.people, self.rooms, self.nesting, self.invitations)
        self._standing = enter("standing-notices", standing)
        self._tools = OpenTools(tools, store.objects, self._parts, scopes)
        self.trash = Trash(*self._tools.bins)
        self.held = enter("held", HeldBack(store, self.people, self.rooms))
        for rules in self._tools.rules:
            self._follow(rules)
        self._listen()
        self._running: list[asyncio.Task[None]] = []

    def _listen(self) -> None:
        store, changed = self.store, self.succession.offers.changed
        listening = (
            store.changes.appended.connect(lambda change: self._on_appended()),
            store.waiting_changed.connect(self._on_appended),
            store.trials.changed.connect(self.rooms.baselines.pay),
            changed.connect(self.rooms.notify_changed),
            self.own_room.known.connect(self.own.look),
            self._common_rooms.changed.connect(self.presence.on_audience),
            self.settings.changed.connect(self._on_setting),
        )
        self._scopes.add("listeners", lambda: [end() for end in listening])

    def _switch(self, setting: Setting[bool]) -> Switch:
        """A setting for tools that know no settings: the same object at each call."""
        return self._switches.setdefault(setting.key, Switch(lambda: self.settings.get(setting)))

    def _on_setting(self, key: str) -> None:
        if key == SHOW_PRESENCE.key:
            self.presence.on_setting()
        elif key == RECEIVED_FILES_MB.key:
            self.store.cached.woken.set()
        elif key in self._switches:
            self._switches[key].changed.emit()

    def service(self, tool: AppTool[S]) -> S:
        """The service of a tool, which is named by its TOOL. BugError for a tool that this session does not have."""
        return self._tools.service(tool)

    def _parts(self, tool: AnyTool) -> Parts:
        """The services that a tool gets."""

        def send(room: RoomId, payload: bytes) -> None:
            if tool.ephemeral is None:
                raise BugError(f"The tool {tool.id!r} owns no kind of ephemeral message.")
            self.engine.send_ephemeral(room, payload, kind=tool.ephemeral)

        return Parts(
            db=self.store.db,
            changes=self.store.changes,
            objects=self.store.objects,
            snapshots=self.store.snapshots,
            people=self.people,
            rooms=self.rooms,
            files=self.files,
            copies=self.copies,
            notices=self.notices,
            send_ephemeral=send,
            set_shared=self.engine.set_shared,
            may_export=lambda: self.settings.get(ALLOW_EXPORT),
            may_print=lambda: self.settings.get(ALLOW_PRINT),
            shows_typing=self._switch(SHOW_TYPING),
            shows_reading=self._switch(SHOW_READING),
            origin_of=lambda room: self.succession.standing(room).origin,
            find=lambda link: self._tools.find(link),
            rooms_within=self.nesting.titles_within,
            room_changed=self.store.changed,
            lines=self.store.room_lines,
            reads=self.reads,
            drafts=self.drafts,
            alarms=self.alarms,
            own_room=self.own_room,
            destroying=Destroying(self.engine, self.status_changed),
        )

    def linked(self, link: ObjectLink) -> Linked | None:
        """What to show of the object or place that a link leads to; None if this device does not have it."""
        return self._tools.find(link)

    def _follow(self, rules: KindRules) -> None:
        """Registers a kind's rules with the rooms: how its objects are given to new members, carried, offered and
        copied. A function that `rules` lacks (None) is left out: the rooms then do without it for this kind."""
        if rules.baseline is not None:
            self.rooms.baselines.kinds[rules.id] = rules.baseline
        if rules.carrier is not None:
            self.succession.carriers[rules.id] = rules.carrier
        if rules.copy_into is not None:
            self.succession.offers.copiers[rules.id] = rules.copy_into
        if rules.copier is not None:
            self.held.copiers[rules.id] = rules.copier

    @property
    def status(self) -> SyncStatus:
        """The state of the connection to the server."""
        return self.engine.status

    def _is_online(self) -> bool:
        return self.engine.status.state is LinkState.ONLINE

    @property
    def overdue(self) -> bool:
        """Whether policy hides everything until the server has let the device in again. Never true after `close`."""
        return not self._closed and self._contact.overdue

    @property
    def reading(self) -> tuple[int, int]:
        """(rooms that are read to their end, all rooms): a new device shows it as its progress."""
        return self.engine.reading

    def hurry(self) -> None:
        """Reconnects, and looks whether a reminder is due. Call it after sleep, or when the network has changed."""
        self.engine.hurry()
        self.alarms.look()

    def report(self) -> dict[str, str]:
        """The texts that the IT department may read, without content or names. May be called in any thread."""
        return diagnosis.report(self.profile, self.settings)

    async def warm(self) -> None:
        """Starts what the first change of a colleague would wait for. Called when the window is shown."""
        await self.store.trials.warm()

    def start(self) -> None:
        """Starts the tools and begins to sync. After an error the caller closes the scopes.

        What waits for the network, or copies files, is opened last, and so closed first: nothing waits between the
        closing of the tools and that of the store, so that no view can edit in between.
        """
        self.reads.start()
        self.wishes.start()
        self._settings_followed.start()
        self._notice_marks.start()
        self.reminders.start()
        self._timer.start()
        self.alarms.start()
        for service in self._tools.services:
            service.start()
        self.presence.start()
        self._scopes.enter("requests", self.engine.blobs)
        self._scopes.enter("copies", self.copies)
        parts = (
            self.engine.run,
            self._admission.run,
            self.succession.run,
            self.nesting.run,
            self.rooms.additions.run,
            self.rooms.baselines.run,
            self.personal.run,
            self.own_pruning.run,
            self.own.run,
            self.reads.run,
            self.wishes.run,
            self._notice_marks.run,
            self.devices.run,
            self.key_watch.run,
            self.notices.run,
            self.reminders.run,
            self._standing.run,
            self._arrivals.run,
            self._formats.run,
            self._common_rooms.run,
            *self.store.background,
            self.kept_offline.run,
            self.copies.run,
        )
        self._scopes.add("parts", self._stop)
        self._running = [asyncio.ensure_future(lasting(part)) for part in parts]

    def keep_place(self, text: str) -> None:
        """Stores the person's place in the window (`text`) for the next start of the program; "" forgets it. Raises
        StoreFault if the disk refuses."""
        self.store.notes.set(_PLACE, text)

    def kept_place(self) -> str:
        """What `keep_place` kept, "" for nothing."""
        return self.store.notes.get(_PLACE)

    def save(self) -> None:
        """Tries again to store edits and drafts that the disk has refused, and writes what the person's other devices
        are to know (app/own/). If some stay in memory, raises the disk's StoreFault, or NotStored if a fault of ours
        keeps them there."""
        faults: list[StoreFault] = []
        for save in (*(service.save for service in self._tools.services), self.own.flush):
            try:
                save()
            except StoreFault as fault:
                faults.append(fault)
            except Exception as fault:  # ▲ it keeps no other tool from storing
                report(fault, "session-save")
        if faults:
            raise faults[0]
        if self._unsaved():
            raise NotStored

    def unstored(self) -> list[Unstored]:
        """What could not be stored so far: edits, and drafts."""
        return named(self.store.objects, self.rooms, self._unsaved())

    def _unsaved(self) -> list[Unsaved]:
        found: list[Unsaved] = []
        for service in self._tools.services:
            try:
                found += service.unstored()
            except Exception as fault:  # ▲ otherwise this fault would keep the person from quitting
                report(fault, "session-unstored")
        return found

    async def close(self) -> None:
        """Stops syncing, stores what is unsaved, and closes the store, whose key is dropped with it. A second call does
        nothing.

        ▲ Closes everything also if something cannot be stored, and raises StoreFault then: a person who locks Kansli is
        never left with an open store. Any other error in closing a part is reported.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self.presence.end()
            await asyncio.sleep(0)  # what it sends leaves before the connection is closed
        except Exception as fault:
            report(fault, "session-presence")
        finally:  # ▲ otherwise this fault, or a cancellation, would leave the store open
            await self._scopes.close()

    async def _stop(self) -> None:
        for task in self._running:
            task.cancel()
        for fault in await asyncio.gather(*self._running, return_exceptions=True):
            if isinstance(fault, Exception):  # it failed while it was being stopped
                report(fault, "session-part")
        self._running = []

    def _on_appended(self) -> None:
        self.engine.wake()
        self.succession.wake()
        self.status_changed.emit()

    def _cache_limit(self) -> CacheLimit:
        chosen = self.settings.get(RECEIVED_FILES_MB)
        return CacheLimit(most=chosen * MB, is_automatic=chosen == RECEIVED_FILES_MB.default)

    # -- sync.client.ports.Listener -------------------------------------------------------------------------------

    def on_status(self) -> None:
        """Called by the engine when its status changed: notifies the parts of the session."""
        self._admission.look()
        self.succession.wake()
        self.devices.see()
        self.personal.wake()
        online = self._is_online()
        if online and not self._was_online:
            garbage.set_aside()  # the rooms that were read stay: a full search takes 7 ms for 2,000 members
            self.own.wake()
        self._was_online = online
        self.invitations.on_status(online=online)
        self.kept_offline.on_status(online=online)
        self._arrivals.on_status(online=online)
        self._formats.on_status(online=online)
        self.nesting.on_status(online=online)
        self.presence.on_status(online=online)
        self._standing.on_status(online=online)
        self.notices.on_status(self.engine.status.state)
        self.status_changed.emit()

    def on_room(self, room: RoomId) -> None:
        """Called by the engine when a room's members or state changed: notifies the parts of the session."""
        self.succession.wake()
        self.personal.wake()
        self.rooms.baselines.wake(room)
        self.invitations.on_room(room)
        self.rooms.notify_changed(room)

    def on_log(self, uid: Uid) -> None:
        """A person's log has grown."""
        self.presence.on_log(uid)
        self.key_watch.wake()

    def on_ephemeral(
        self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int, *, addressed: bool = False
    ) -> None:
        """Receives an ephemeral message, whose content is `payload`, that the person `uid` sent from the device `dev`.
        Presence belongs to no tool; other kinds go to the tool that owns them, or are dropped. ▲ The engine has checked
        the kind against the sender's role before: a reader's message that they are writing in the chat does not come
        here."""
        if kind == PRESENCE and uid == self.engine.uid and room in self.own_room.rooms():
            self.turns.receive(dev, payload)
        elif kind == PRESENCE:
            self.presence.receive(room, uid, dev, payload, addressed=addressed)
        else:
            self._tools.on_ephemeral(room, uid, dev, payload, kind)
