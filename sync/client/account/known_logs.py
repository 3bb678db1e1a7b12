# SPDX-License-Identifier: EUPL-1.2
"""Everybody's user logs: verified once, kept in the application's store, fetched from the server if missing."""

from collections.abc import Callable
from dataclasses import dataclass

from sync.client.ports import AccountPort
from sync.client.wire.connection import Connection
from sync.errors import Reject
from sync.ids import Uid
from sync.protocol import messages as m
from sync.trust.person.agency import decode_record, encode_record, record_hash
from sync.trust.person.user_log import UserLog


@dataclass(frozen=True, slots=True)
class Staff:
    """A person's staff record, in the form in which a server that has lost it gets it again. `record`: their name,
    title and unit, as the agency wrote them, encoded. `salt`: bytes that are hashed with it. The person's key log holds
    only that hash: without the salt nobody can guess the record from it."""

    salt: bytes
    record: bytes


async def entries_after(connection: Connection, uid: Uid, after: int) -> list[tuple[bytes, bytes]]:
    """Asks the server for the entries (body, sig) of the key log of the person `uid` with a number above `after` (−1:
    from the first on), in their order, as many as it gives in one answer; [] if it has none. They are not verified.
    Reject "other-user" if the answer is to another question; Refused or Unreachable."""
    reply = await connection.request(lambda rid: m.UserLog(rid=rid, uid=uid, after=after), m.UserLogReply)
    if reply.uid != uid or reply.after != after:
        raise Reject("other-user", "user log reply")
    return [(e.body, e.sig) for e in reply.entries]


class Book:
    """Everybody's key logs, as far as this device has them. A person's log lists their devices and keys. `log` reads a
    log from the store and verifies it when it is first asked for, then keeps it in memory; it never asks the server.
    `fetch` asks the server for new entries."""

    def __init__(self, ports: AccountPort, agency_pk: bytes, moved: Callable[[Uid], None] = lambda uid: None) -> None:
        """`ports`: where the logs are stored. `agency_pk`: the agency's public key, 32 B, with which the logs are
        verified. `moved` is called with the person whose log has grown, once that is stored; it must not raise."""
        self._ports = ports
        self._agency_pk = agency_pk
        self._moved = moved
        self._logs: dict[Uid, UserLog] = {}

    def log(self, uid: Uid) -> UserLog | None:
        """The key log of the person `uid` as far as this device has it; None if it has none. Never asks the server. The
        first use reads the log from the store and verifies it (1 ms); Reject if it breaks a rule."""
        found = self._logs.get(uid)
        if found is None:
            stored = self._ports.user_log(uid)
            if stored:
                found = self._logs[uid] = UserLog.replay(stored, self._agency_pk)
        return found

    def __contains__(self, uid: Uid) -> bool:
        """Whether the log is in memory. The first use of one that is not replays it, 1 ms."""
        return uid in self._logs

    def staff(self, uid: Uid) -> Staff | None:
        """The stored staff record of the person `uid`, for a server that has lost it; only if it is the one whose hash
        the agency's newest certificate in their log ("binding") has. None if this device has no log or no record of
        them, or a record with a different hash, for example one from before that certificate. Reject if the stored log
        breaks a rule."""
        known, found = self.log(uid), self._ports.staff_record(uid)
        if known is None or found is None:
            return None
        staff = Staff(salt=found[1], record=encode_record(found[0]))
        return staff if record_hash(staff.salt, staff.record) == known.record_hash else None

    def forget(self) -> None:
        """Discards the logs in memory; they are read from the store again."""
        self._logs.clear()

    def take(self, uid: Uid, entries: list[tuple[bytes, bytes]]) -> UserLog:
        """Verifies `entries`, (body, signature) pairs that follow the known ones in the log of the person `uid`, stores
        them, and calls `moved`, this Book's callback, with `uid`; also if there are no `entries`. Asks no server.
        Returns the whole log. Reject, and nothing is stored, if one is not valid, does not follow or belongs to a
        different person, or if there is neither an entry nor a log here."""
        log = self.log(uid) or UserLog(self._agency_pk)
        first = log.seq + 1
        try:
            for body, sig in entries:
                log.apply(body, sig)
        except Reject:
            self._logs.pop(uid, None)  # some entries were applied, and none is stored
            raise
        if not log.heads or log.uid != uid:
            self._logs.pop(uid, None)
            raise Reject("other-user", "user log")
        self._logs[uid] = log
        self._ports.append_user_log(uid, first, entries)
        self._moved(uid)
        return log

    async def fetch(self, connection: Connection, uid: Uid) -> UserLog:
        """Fetches over `connection`, in one request, what is new in the log of the person `uid`, verifies and stores
        it, and returns the log. Of more than 1 MiB of new entries the server gives the first part only: the log
        returned lacks the rest until the next call.

        Reject "withheld" if neither the server nor this device has anything, "other-user" for an answer to another
        question, another code for entries that are not valid: then none is stored. Refused "unknown-user" if the server
        does not know the person; Unreachable if the connection is lost."""
        known = self.log(uid)
        after = known.seq if known else -1
        entries = await entries_after(connection, uid, after)
        known = self.log(uid)
        entries = entries[known.seq - after if known else 0 :]  # another task may have fetched them during the wait
        if entries:
            return self.take(uid, entries)
        if known is None:
            raise Reject("withheld", "user log")
        return known

    async def directory(self, connection: Connection, query: str, uids: list[Uid]) -> list[Uid]:
        """Asks the server's directory over `connection` for the people `uids` (at most 2,000; `query` is then ignored).
        If `uids` is empty, asks for at most 50 people whose staff record has every word of `query`; an empty `query`
        fits everybody. Returns the ids of those that the server has, in the server's order. Their key logs and staff
        records are verified and stored before this returns.

        Reject "record" if a record is not the one that the person's log names, another code for an invalid log; the
        people before that one stay stored. Also Refused or Unreachable."""
        reply = await connection.request(
            lambda rid: m.Directory(rid=rid, query=query, uids=list(uids)), m.DirectoryReply
        )
        found = []
        for person in reply.people:
            uid = Uid(person.uid)
            log = self.log(uid)
            if log is None or log.seq < person.ulog_seq:
                log = await self.fetch(connection, uid)
            if log.record_hash != record_hash(person.salt, person.record):
                raise Reject("record", "directory")
            self._ports.put_person(uid, decode_record(person.record), person.salt)
            found.append(uid)
        return found
