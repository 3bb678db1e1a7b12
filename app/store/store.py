# SPDX-License-Identifier: EUPL-1.2
"""The whole store of one account: its parts, and the engine's `Ports` in one object. Opened here, closed here.

Synchronous and on the loop's thread; a durable append takes about 0.2 ms.
"""

import contextlib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from app.core import log
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.errors import StoreFault
from app.store.account import Account
from app.store.behind import Behind
from app.store.blobs import Blobs
from app.store.cache_files import CacheFiles
from app.store.cache_upkeep import CacheUpkeep
from app.store.cached_parts import CachedParts
from app.store.changes import Changes
from app.store.connection import Connection
from app.store.database import Database, faults
from app.store.destroyed_objects import DestroyedObjects
from app.store.heartbeats import Heartbeats
from app.store.held_changes import HeldChanges
from app.store.inbox import Inbox
from app.store.indexing import Indexing
from app.store.journal import Journal
from app.store.judges import Judges
from app.store.kept_items import KeptItems
from app.store.layout import VERSION, prepare
from app.store.left_out import LeftOutChanges
from app.store.newcomers import Newcomers
from app.store.notes import Notes
from app.store.notice_store import NoticeStore
from app.store.notices import KeyNotices
from app.store.objects import Objects
from app.store.origins import Origins
from app.store.outbox import Outbox
from app.store.people import Me, People
from app.store.projecting import Projecting
from app.store.projection import Projector, Tester
from app.store.receipts import Receipts
from app.store.reminder_rows import ReminderStore
from app.store.room_lines import RoomLines
from app.store.rooms import Rooms
from app.store.saved_files import LeftFiles
from app.store.search import Search
from app.store.seen import SeenTimes
from app.store.snapshots import Snapshots
from app.store.trials import Trials
from app.store.unsent import UnsentRows
from app.store.working_copies import WorkingCopyRows


class Store:
    """The encrypted store of one account. The sync engine uses it as `sync.client.ports.Ports`; services use its parts
    (`changes`, `objects`, `rooms_list`, …)."""

    def __init__(
        self, db: Database, blobs_folder: Path, kinds: Mapping[str, Projector], journal: Journal, tester: Tester | None
    ) -> None:
        """Use `Store.open` and `Store.create` instead. `blobs_folder`: for parts of files. `kinds`: the kinds of
        objects by id. `journal`: the file that names running merges. `tester`: the process in which others' changes are
        tried, or None."""
        self.db = db
        self._journal = journal
        self.waiting_changed: Signal[()] = Signal()
        """The outbox has become shorter, or a held change may be sent: wake the engine, refresh the status bar."""
        self._me = Me(db)
        self._projecting = Projecting(db, self._me, kinds, journal, tries=tester is not None)
        self.notices = NoticeStore(db, self._me, self._projecting)
        self.people = People(db)
        self.account = Account(db, self.people)
        self.outbox = Outbox(db, self.waiting_changed.emit)
        self.changes = Changes(db, self._me, self._projecting, journal, self.outbox)
        self.receipts_kept = Receipts(db)
        self.kept = KeptItems(db)
        self.cached = CachedParts(db, CacheFiles(blobs_folder.with_name("received")))
        self.cache_upkeep = db.spare = CacheUpkeep(db, self.cached)
        self.blobs = Blobs(db, blobs_folder, self.waiting_changed.emit, self.cached, self.cache_upkeep)
        self.destroyed = DestroyedObjects(db, self._me, self._projecting, self.outbox, kinds, self.blobs)
        self._make_inbox(kinds, tester)
        self.left_out = LeftOutChanges(db)
        self.newcomers = Newcomers(db, self._me)
        self.notes = Notes(db)
        self.seen = SeenTimes(db)
        self.heartbeats = Heartbeats(db)
        self.key_notices = KeyNotices(db)
        self.reminders = ReminderStore(db)
        self.unsent_work = UnsentRows(db, self._me, self.changes)
        self.rooms_list = Rooms(db, self._projecting)
        self.room_lines = RoomLines(db, self._me)
        self.origins = Origins(db, self._me, self.changes, self.outbox)
        self.objects = Objects(db, self._projecting)
        self.series = self.objects.series
        self.indexing = Indexing(db, self._projecting.changed)
        self.search = Search(db, self.indexing)
        self.copies = WorkingCopyRows(db)
        self.left_files = LeftFiles(db)
        self.changed: Signal[RoomId] = self._projecting.changed
        """The room whose read models changed. Emitted after the commit, on the loop's thread."""
        self.placed, self.projected = self.inbox.placed, self.inbox.projected
        self._prepare(tries=tester is not None)
        self._give_account_port()
        self._give_inbox_port()
        self._give_snapshot_port()
        self._give_outbox_port()
        self._give_blob_port()

    def _make_inbox(self, kinds: Mapping[str, Projector], tester: Tester | None) -> None:
        """Makes the parts of the store that judge, try and store what the server sends."""
        db, journal = self.db, self._journal
        self.judges = Judges(db, self._me, dict(kinds), self._projecting)
        self.snapshots = Snapshots(db, self._me, kinds, journal)
        self._behind = Behind(db, self.judges, self._projecting, self.snapshots)
        self.held_changes = HeldChanges(db, self._me, kinds)
        self.trials = Trials(
            db,
            self._me,
            dict(kinds),
            self._projecting,
            self.changes,
            journal,
            tester,
            self.judges,
            self._behind,
            self.held_changes,
        )
        self.inbox = Inbox(
            db,
            self._me,
            self.changes,
            self._projecting,
            self.kept,
            self.receipts_kept,
            self.snapshots,
            self.trials,
            self.judges,
            self._behind,
            self.destroyed,
        )

    def _prepare(self, *, tries: bool) -> None:
        """Finishes what an earlier run of the program left: notes merges that ended it, changes that are not tried yet
        and objects to be judged again, and runs the projections (which make the rows for lists and search) that are
        due. `tries`: the trials run, which have objects judged again."""
        self.trials.prepare()
        self._behind.prepare()
        self._projecting.prepare()
        self.indexing.prepare()
        if tries:
            self.judges.prepare()

    def _give_account_port(self) -> None:
        self.load_account = self.account.load_account
        self.kept_server, self.keep_server = self.account.kept_server, self.account.keep_server
        self.recovery_first_seen, self.keep_recovery_first_seen = (
            self.account.recovery_first_seen,
            self.account.keep_recovery_first_seen,
        )
        self.save_account = self.account.save_account
        self.user_log = self.account.user_log
        self.append_user_log = self.account.append_user_log
        self.put_person = self.account.put_person
        self.staff_record = self.account.staff_record
        self.user_logs = self.account.user_logs

    def _give_inbox_port(self) -> None:
        self.rooms = self.inbox.rooms
        self.rh_at = self.inbox.rh_at
        self.entry_time = self.rooms_list.entry_time
        self.promoted_at = self.rooms_list.promoted_at
        self.note_seen = self.seen.note_seen
        self.seen_ms = self.seen.seen_ms
        self.keys = self.inbox.keys
        self.put_keys = self.inbox.put_keys
        self.share = self.inbox.share
        self.waiting = self.inbox.waiting
        self.reread = self.inbox.reread
        self.incomplete = self.inbox.incomplete
        self.problem = self.inbox.problem
        self.set_problem = self.inbox.set_problem
        self.receipts = self.receipts_kept.all
        self.put_receipts = self.receipts_kept.put
        self.put_placed = self.inbox.put_placed
        self.put_evidence = self.receipts_kept.put_evidence
        self.kept_items = self.kept.after
        self.trim_items = self.kept.trim
        self.receive = self.inbox.receive
        self.receive_apart = self.inbox.receive_apart

    def _give_snapshot_port(self) -> None:
        self.compactor = self.snapshots.compactor
        self.is_sound = self.trials.is_sound
        self.base = self.snapshots.base
        self.opened_at = self.snapshots.opened_at
        self.put_base = self.snapshots.put_base
        self.forget_base = self.snapshots.forget_base
        self.positioned = self.snapshots.positioned
        self.grown = self.snapshots.grown

    def _give_outbox_port(self) -> None:
        self.pending = self.outbox.pending
        self.pending_in = self.outbox.pending_in
        self.set_encrypter = self.outbox.set_encrypter
        self.put_sealed = self.outbox.put_sealed
        self.sealed = self.outbox.sealed
        self.rooms_with_work = self.outbox.rooms_with_work
        self.shown = self.destroyed.shown
        self.unseal = self.outbox.unseal
        self.burned = self.outbox.burned
        self.waiting_count = self.outbox.waiting_count

    def _give_blob_port(self) -> None:
        self.uploads = self.blobs.uploads
        self.read_part = self.blobs.read
        self.part_uploaded = self.blobs.set_uploaded
        self.uploaded_parts = self.blobs.uploaded_parts
        self.part_lost = self.blobs.set_lost
        self.parts_checked_for = self.blobs.checked_for
        self.set_parts_checked_for = self.blobs.set_checked_for

    @classmethod
    def create(
        cls,
        path: Path,
        key: bytes,
        kinds: Mapping[str, Projector],
        blobs: Path | None = None,
        tester: Tester | None = None,
    ) -> "Store":
        """Makes a new store at `path`, encrypted under the raw `key`. StoreUnwritable if the file exists or cannot be
        written, DiskFull; OSError if the folder cannot be made. `kinds`: the
        kinds of objects by id. `blobs`: the folder for parts of files (None: beside the database). `tester`: the
        process in which others' changes are tried; without one they are merged untried."""
        return cls._start(Database.create(path, key), kinds, blobs, tester)

    @classmethod
    def open(
        cls,
        path: Path,
        key: bytes,
        kinds: Mapping[str, Projector],
        blobs: Path | None = None,
        tester: Tester | None = None,
    ) -> "Store":
        """Opens an existing store. Raises StoreMissing, StoreCorrupt, StoreOlder, StoreNewer, DiskFull,
        StoreUnwritable. `kinds`: the kinds of objects by id. `blobs`: the folder for parts of files (None: beside the
        database). `tester`: the process in which others' changes are tried; without one they are merged untried."""
        return cls._start(Database.open(path, key), kinds, blobs, tester)

    @classmethod
    def _start(cls, db: Database, kinds: Mapping[str, Projector], blobs: Path | None, tester: Tester | None) -> "Store":
        try:
            prepare(db)
            with faults():
                journal = Journal(db.path.with_name(f"{db.path.name}-merging"))
            store = cls(db, blobs or db.path.parent / "blobs", kinds, journal, tester)
        except BaseException:
            db.close()
            raise
        log.store.info("opened", version=VERSION, waiting=store.waiting_count())
        return store

    @property
    def me(self) -> Uid | None:
        """This account's person; None before the first enrolment."""
        return self._me.uid

    @property
    def background(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        """The store's background tasks, as coroutine functions. Run each while the store is open, until it is
        cancelled."""
        return self.trials.run, self.cache_upkeep.run, self.destroyed.run, self.indexing.run, self.left_files.run

    def unsent(self, room: RoomId) -> int:
        """How many changes of one room the server does not have."""
        return self.outbox.unsent(room)

    def set_me(self, uid: Uid) -> None:
        """Remembers who this account is; needed before the first append."""
        self._me.set(uid)

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction around several appends: `with store.transaction(): …`."""
        return self.db.transaction()

    def close(self) -> None:
        """Ends the worker process, stores the judges' state (if that fails, changes are judged again at the next
        start), and closes the database; the key is dropped with it. A second call does nothing."""
        self.trials.close()
        with contextlib.suppress(StoreFault):  # what is not stored is judged again
            self.judges.close()
        self.db.close()
        self._journal.close()
