# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server verify`: checks every chain and signature in a store, without any secret key.

Works on a running server's folder and on a backup; the database is only read. Rooms are judged one after the other,
each in a snapshot of its own; parts of files are hashed in pieces.
"""

from collections.abc import Callable
from pathlib import Path

from sync.errors import Reject
from sync.protocol.messages import Receipt, Signed
from sync.server.config import Config, ConfigError
from sync.server.host.identity import read_agency_pk, read_escrow_cert, read_server_cert
from sync.server.objects.filesystem import part_path
from sync.server.operator.upkeep import audit
from sync.server.operator.upkeep.manifest import sha256_of
from sync.server.operator.upkeep.problems import Logs, Problem, Report, Tally, part_name
from sync.server.operator.upkeep.reading import MISTYPED, Damaged, Reading
from sync.server.operator.upkeep.rooms import RoomCheck
from sync.server.rules.store_rows import search_text
from sync.server.store.admin_chain import first_broken
from sync.trust.person.agency import InviteCert, agency_fingerprint, record_hash, verify_server_cert
from sync.trust.person.escrow_key import check_escrow
from sync.trust.person.user_log import UserLog
from sync.trust.room import signed_receipts
from sync.trust.room.restore_notice import Restored

_OWNED = ("items", "members", "device_heads", "shares", "seals", "blobs")
"""The tables whose rows belong to a room."""


def verify(
    data: Path,
    on_problem: Callable[[Problem], None],
    step: Callable[[Tally], None],
    *,
    room: bytes | None = None,
    database: Path | None = None,
) -> Tally:
    """Checks all that is stored in `data`, a data folder or a backup; with `room`, only the room with that id.
    `database`: the file of a backup's database; None for the one of a data folder. Nothing is changed, and a server may
    be running. Calls `on_problem` with each problem, and `step` often with the tally so far. Returns the tally. A
    database that cannot be read is reported as a problem too, and ends the check. ConfigError if agency.pub is missing,
    or if it cannot be parsed. A StoreError for a later version's database (TooNew) or a locked one (Locked)."""
    report = Report(on_problem, step)
    agency_pk = read_agency_pk(data)
    try:
        reading = Reading(database or Config(data=data).database)
    except Damaged as e:
        report.add("database", "server.sqlite3", e.code)
        return report.tally
    try:
        check = _Check(reading, report, agency_pk, data)
        if room is None:
            check.everything()
        else:
            check.room(room)
    except Damaged as e:
        report.add("database", "server.sqlite3", e.code)
    except MISTYPED:
        report.add("database", "server.sqlite3", "malformed")
    finally:
        reading.close()
    return report.tally


class _Check:
    def __init__(self, reading: Reading, report: Report, agency_pk: bytes, data: Path) -> None:
        self._reading = reading
        self._report = report
        self._agency_pk = agency_pk
        self._data = data
        self._logs = Logs(reading, agency_pk)

    def everything(self) -> None:
        """Checks the database's file, the certificates, people, invitations, the admin log, rooms and parts of files,
        and reports each problem."""
        for _ in self._reading.structure():
            self._report.add("database", "server.sqlite3", "database")
        self._server()
        with self._reading.snapshot():
            self._people()
            self._invitations()
            self._strays()
            self._admin_log()
        for (room,) in list(self._reading.rows("rooms", "SELECT room FROM rooms")):
            self.room(room)

    def room(self, room: bytes) -> None:
        """Checks the room with the id `room` and its parts of files, and reports each problem; a room that does not
        exist is one. Damaged if the database's file cannot be read."""
        with self._reading.snapshot():
            RoomCheck(self._reading, self._logs, self._report, room).run()
        self._report.tally.rooms += 1
        self._parts(room)

    # -- people -----------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        root = "root_pk" if self._reading.has("users", "root_pk") else "NULL"
        query = f"SELECT uid, seq, head, salt, record, search, {root} FROM users"  # noqa: S608 - ours
        for uid, *row in list(self._reading.rows("users", query)):
            code = self._person(uid, *row)
            if code is not None:
                self._report.add("user", uid.hex(), code)
            self._report.tally.people += 1
            self._report.step(self._report.tally)
        query = "SELECT DISTINCT uid FROM user_entries WHERE uid NOT IN (SELECT uid FROM users)"
        for (uid,) in self._reading.rows("user_entries", query):
            self._report.add("user", uid.hex(), "unknown-user")

    def _person(
        self, uid: bytes, seq: int, head: bytes, salt: bytes, record: bytes, search: bytes, root_pk: bytes | None
    ) -> str | None:
        """Checks one person: verifies the log of the person with the id `uid`, and compares it with their row. `seq`
        and `head`: number and hash of the newest entry. `root_pk`: the root key in force; not compared if None. `salt`
        and `record`: the staff record, of which the log has a salted hash. `search`: the text that searches find it by.
        These three are not checked if `record` is empty, since it was erased. Returns the code of the first fault:
        "chain" (entries are missing or surplus), "head" (also for `root_pk`), "record", or the reason why the log does
        not verify. None if there is no fault."""
        numbers = self._reading.rows("user_entries", "SELECT seq FROM user_entries WHERE uid = ? ORDER BY seq", (uid,))
        if [n for (n,) in numbers] != list(range(seq + 1)):
            return "chain"
        try:
            log = UserLog.replay(self._logs.entries(uid), self._agency_pk)
            if (log.uid, log.head) != (uid, head) or root_pk not in (None, log.root_pk):
                return "head"
            if record and (log.record_hash != record_hash(salt, record) or search_text(record).encode() != search):
                return "record"
        except Reject as e:
            return e.code
        return None

    def _invitations(self) -> None:
        query = "SELECT invite_pk, cert_body, cert_sig, salt, record, not_after FROM invites"
        for pk, body, sig, salt, record, not_after in self._reading.rows("invites", query):
            try:
                cert = InviteCert.check(self._agency_pk, body, sig)
                certified = (cert.invite_pk, cert.record_hash, cert.not_after_ms)
                hashed = record_hash(salt, record) if record else cert.record_hash
                code = None if certified == (pk, hashed, not_after) else "record"
            except Reject as e:
                code = e.code
            if code is not None:
                self._report.add("invitation", pk.hex()[:16], code)

    # -- the server -------------------------------------------------------------------------------------------------

    def _server(self) -> None:
        """Checks server.cert (the agency's certificate for the server), the escrow key's certificate, the server's
        signed statements that it was restored, and those of its receipts (signatures on what it has stored) that
        clients have shown for items that it does not have. Reports each problem. If server.cert is not valid, or
        missing (which is no problem), statements and receipts are not checked. Dates are not judged."""

        def verify_server(agency_pk: bytes, body: bytes, sig: bytes) -> bytes:
            return verify_server_cert(agency_pk, body, sig, now_ms=0)

        self._certified("escrow.cert", read_escrow_cert, check_escrow)
        server_pk = self._certified("server.cert", read_server_cert, verify_server)
        if server_pk is None:
            return
        fingerprint = agency_fingerprint(self._agency_pk)
        for t, backup_t, body, sig in self._reading.rows("restores", "SELECT t, backup_t, body, sig FROM restores"):
            try:
                statement = Restored.check(server_pk, fingerprint, body, sig)
                code = None if (statement.t, statement.backup_t) == (t, backup_t) else "malformed"
            except Reject as e:
                code = e.code
            if code is not None:
                self._report.add("restored", str(t), code)
        for room, n, rh, t, sig in self._reading.rows("unmet", "SELECT room, n, rh, t, sig FROM unmet"):
            try:
                signed_receipts.check(server_pk, Receipt(room, n, rh, t, sig))
            except Reject as e:
                self._report.add("receipt", f"{room.hex()}/{n}", e.code)

    def _certified(
        self, name: str, read: Callable[[Path], Signed | None], check: Callable[[bytes, bytes, bytes], bytes]
    ) -> bytes | None:
        """The public key in the certificate file `name`, which `read` reads and `check` verifies. None if the file is
        missing, or has a fault, which is reported."""
        try:
            cert = read(self._data)
            return check(self._agency_pk, cert.body, cert.sig) if cert is not None else None
        except Reject as e:
            self._report.add("certificate", name, e.code)
        except ConfigError:  # not in hex; not two values
            self._report.add("certificate", name, "malformed")
        return None

    def _strays(self) -> None:
        """Reports rows that belong to rooms that do not exist: one problem for each table and such room."""
        for table in _OWNED:
            query = f"SELECT DISTINCT room FROM {table} WHERE room NOT IN (SELECT room FROM rooms)"  # noqa: S608 - ours
            for (room,) in self._reading.rows(table, query):
                self._report.add(table, room.hex(), "unknown-room")

    def _admin_log(self) -> None:
        """Verifies the admin log, a chain of administrators' commands, against the newest entry that was ever written.
        Reports the first entry that is missing, changed, unreadable or added later; nothing if there is none. The
        entries after it are not checked."""
        broken = first_broken(audit.rows(self._reading), audit.kept_head(self._reading))
        if broken is not None:
            self._report.add("audit", str(broken.n), broken.code)

    # -- parts of files ---------------------------------------------------------------------------------------------

    def _parts(self, room: bytes) -> None:
        query = "SELECT obj, part, size_bytes, sha256 FROM blobs WHERE room = ?"
        for obj, part, size, sha256 in list(self._reading.rows("blobs", query, (room,))):
            code = _part_code(part_path(Config(data=self._data).blobs, room, obj, part), size, sha256)
            if code is not None:
                self._report.add("blob", part_name(room, obj, part), code)
            self._report.tally.blobs += 1
            self._report.tally.blob_bytes += size
            self._report.step(self._report.tally)


def _part_code(path: Path, size: int, sha256: bytes) -> str | None:
    try:
        found = bytes.fromhex(sha256_of(path)), path.stat().st_size
    except FileNotFoundError:
        return "blob-missing"
    except OSError:
        return "unreadable"
    return None if found == (sha256, size) else "blob-hash"
