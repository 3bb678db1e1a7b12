# SPDX-License-Identifier: EUPL-1.2
"""Everybody's user logs: verified once, kept in the application's store, fetched from the server if missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.client.ports import AccountPort
from sync.client.wire.connection import Connection
from sync.errors import Reject
from sync.ids import Uid
from sync.protocol import messages as m
from sync.protocol.version import MAX_PULL_BYTES, MAX_USER_ENTRY_BYTES
from sync.trust.person.agency import decode_record, encode_record, record_hash
from sync.trust.person.user_log import UserLog

MOST_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 4000
"""The longest log that is fetched at once, in bytes with signatures and in entries. A server lets a log grow to 8 MiB
and 1,000 entries, and beyond that by the entries that end a device or recover the account."""
_MOST_IN_ONE = MAX_USER_ENTRY_BYTES + 64
"""The longest entry with its signature."""


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


def within_bounds(count: int, size_bytes: int) -> bool:
    """Whether `count` entries, of `size_bytes` bytes with their signatures, are not more than what is fetched at once
    of one person's log."""
    return count <= MOST_ENTRIES and size_bytes <= MOST_BYTES


def size_of(entries: Sequence[tuple[bytes, bytes]]) -> int:
    """The bytes of `entries`, (body, signature) pairs of a log."""
    return sum(len(body) + len(sig) for body, sig in entries)


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
        different person, or if there is neither an entry nor a log here.

        ▲ If this or the store raises, the log is read from the store when it is next asked for. A log in memory that is
        ahead of the disk would be appended with entries missing before them."""
        log = self.log(uid) or UserLog(self._agency_pk)
        first = log.seq + 1
        try:
            for body, sig in entries:
                log.apply(body, sig)
            if not log.heads or log.uid != uid:
                raise Reject("other-user", "user log")
            self._ports.append_user_log(uid, first, entries)
        except BaseException:
            self._logs.pop(uid, None)  # some entries were applied, and none is stored
            raise
        self._logs[uid] = log
        self._moved(uid)
        return log

    async def fetch(self, connection: Connection, uid: Uid, seq: int = -1) -> UserLog:
        """Fetches over `connection` what is new in the log of the person `uid`, verifies and stores it, and returns the
        log. `seq` is the number of the newest entry, if the server has named it. One answer has at most 1 MiB, so this
        asks again while entry `seq` is missing, or an answer was so long that the server may have cut it. It stops when
        the server has no more: the log returned may then still lack entry `seq`.

        Reject "withheld" if neither the server nor this device has anything, "other-user" for an answer to another
        question, another code for entries that are not valid: of that answer none is stored. Refused "unknown-user" if
        the server does not know the person; Unreachable if the connection is lost.

        ▲ One call ends with the answer by which it has more than MOST_BYTES or MOST_ENTRIES; a later call continues
        there. Otherwise a false server, and a person who makes entries for it, could keep it here for ever."""
        count = size_bytes = 0
        while True:
            known = self.log(uid)
            after = known.seq if known else -1
            answer = await entries_after(connection, uid, after)
            known = self.log(uid)
            entries = answer[known.seq - after if known else 0 :]  # another task may have fetched them during the wait
            if entries:
                known = self.take(uid, entries)
            if known is None:
                raise Reject("withheld", "user log")
            answer_bytes = size_of(answer)
            is_cut = answer_bytes + _MOST_IN_ONE > MAX_PULL_BYTES
            if not answer or (known.seq >= seq and not is_cut):
                return known
            count, size_bytes = count + len(answer), size_bytes + answer_bytes
            if not within_bounds(count, size_bytes):
                return known

    async def directory(self, connection: Connection, query: str, uids: list[Uid]) -> list[Uid]:
        """Asks the server's directory over `connection` for the people `uids` (at most 2,000; `query` is then ignored).
        If `uids` is empty, asks for at most 50 people whose staff record has every word of `query`; an empty `query`
        fits everybody. Returns the ids of those that the server has, in the server's order. Their key logs and staff
        records are verified and stored before this returns.

        Reject "other-user", and nothing is stored, if the answer names a person who is not among `uids`. Reject
        "record" if a record is not the one that the person's log names, another code for an invalid log; the people
        before that one stay stored. Also Refused or Unreachable."""
        reply = await connection.request(
            lambda rid: m.Directory(rid=rid, query=query, uids=list(uids)), m.DirectoryReply
        )
        if uids and not {person.uid for person in reply.people} <= {bytes(uid) for uid in uids}:
            raise Reject("other-user", "directory")
        found = []
        for person in reply.people:
            uid = Uid(person.uid)
            log = self.log(uid)
            if log is None or log.seq < person.ulog_seq:
                log = await self.fetch(connection, uid, person.ulog_seq)
            if log.record_hash != record_hash(person.salt, person.record):
                raise Reject("record", "directory")
            self._ports.put_person(uid, decode_record(person.record), person.salt)
            found.append(uid)
        return found
