# SPDX-License-Identifier: EUPL-1.2
"""What the store keeps of people: invitations, user logs, devices and recovery requests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteRow:
    """One invitation, which an activation code opens: its one-time key `invite_pk`, the agency's certificate of that
    key (`cert_body`, `cert_sig`), the staff record that the certificate binds, with its salt (both empty if a restore
    lost them), until when it can be used (`not_after`), and the person who used it (`used_by`, None for nobody). `made`
    and `withdrawn`: when that was done, 0 for unknown or never. `person`: the person who is invited back, None for a
    new one. Times are in ms."""

    invite_pk: bytes
    cert_body: bytes
    cert_sig: bytes
    salt: bytes
    record: bytes
    not_after: int
    used_by: bytes | None = None
    made: int = 0
    """When it was made; 0 if unknown, as for one that clients uploaded again after a restore."""
    person: bytes | None = None
    """The person with an account who is invited back; None for somebody new."""
    withdrawn: int = 0
    """When the agency withdrew it; 0 for never."""

    def is_open(self, now_ms: int) -> bool:
        """Whether the invitation can still be used."""
        return self.used_by is None and not self.withdrawn and self.not_after > now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """A staff record and the salt that it is hashed with; both are empty if they are lost."""

    salt: bytes
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """One person: the number and hash of the newest entry of their log (`seq`, `head`); their staff record (`record`)
    and the salt that it is hashed with, both empty if a restore lost them; the text that searches find the person by
    (`search`); and the public root key in force (`root_pk`), by which a recovery sheet finds the person."""

    uid: bytes
    seq: int
    head: bytes
    salt: bytes
    record: bytes
    search: str
    root_pk: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHeadRow:
    """The newest entry of the log of the person `uid`: its number `seq`, from 0, and its hash `head`, 32 bytes."""

    uid: bytes
    seq: int
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of a person's log: its number `seq`, from 0, its content `body` and the signature `sig`."""

    seq: int
    body: bytes
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRow:
    """When the device `dev` of the person `uid` last signed in, or was last noted as connected (`last`, in ms by the
    server's clock), and the name that its program gave at the sign-in (`agent`). After a restore, the server awaits
    uploads by devices that were seen lately; people and administrators see from it which devices are in use."""

    dev: bytes
    uid: bytes
    last: int
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRequestRow:
    """A request of the person `uid` that was made with their recovery sheet, and waits while the person's devices may
    object. `what`: "add" or "revoke" a device; "revoked" is no request: it records a revocation that was made, since
    only a few a day are accepted. `dev`: that device. `since`: when, in ms by the server's clock. `invite_pk`: the
    invitation that an "add" uses, empty for none. `vetoed_by`: the device that objected, empty for none. `by` of a
    "revoked" row: the device that revoked it, empty for the root key."""

    uid: bytes
    what: str
    dev: bytes
    since: int
    invite_pk: bytes = b""
    vetoed_by: bytes = b""
    by: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """The new values of a person's row after new log entries: the hash of the newest entry (`head`), the root key in
    force (`root_pk`, of the recovery sheet), and the staff record with its salt and search text if a binding (an entry
    that ties the log to a record) changed it, None otherwise."""

    head: bytes
    root_pk: bytes
    salt: bytes | None = None
    record: bytes | None = None
    search: str | None = None


class PeopleStore(Protocol):
    """The part of the server's store, as a Protocol, that keeps people: invitations, people's logs, devices and
    recovery requests. A write is durable when its coroutine returns, and is stored whole or not at all. A failed write
    raises a StoreError. Reads see only durable writes."""

    async def add_invite(self, row: InviteRow) -> None:
        """Stores a new invitation. Taken if its key exists."""
        ...

    async def add_invites(self, rows: Sequence[InviteRow]) -> None:
        """Stores new invitations, all or none. Taken if the key of one exists."""
        ...

    async def invite(self, invite_pk: bytes) -> InviteRow | None: ...

    async def invites(self) -> list[InviteRow]:
        """All invitations, used and ended ones too, in the order in which they were made."""
        ...

    async def withdraw_invite(self, invite_pk: bytes, now_ms: int) -> None:
        """Withdraws the invitation with the public key `invite_pk` as of `now_ms`, also one whose time has ended. Taken
        if it was used or does not exist. A second call keeps the first call's time, without an error."""
        ...

    async def enrol(self, invite_pk: bytes, user: UserRow, entries: Sequence[EntryRow]) -> None:
        """Uses up the invitation `invite_pk` and stores the new person with the first entries of their log, in one
        transaction. Taken if the invitation was used or withdrawn or does not exist, or if the person exists; nothing
        is stored then. Whether the invitation's time has ended is not checked here."""
        ...

    async def append_user(
        self,
        uid: bytes,
        expected_seq: int,
        entries: Sequence[EntryRow],
        made: Appended,
        *,
        invite_pk: bytes | None = None,
        returned: Sequence[InviteRow] = (),
        revoked: Sequence[RecoveryRequestRow] = (),
        external: bool = False,
    ) -> None:
        """Appends `entries` (at least one) to the log of the person `uid`. Either everything is stored or nothing.
        Moved if the log does not end at `expected_seq`, or there is none.

        `made`: the new values of the person's row. `invite_pk`: the invitation that the entries use up, None for none;
        Taken if it was used or withdrawn, or does not exist. `returned`: after a restore, the invitations that the
        entries used before it; they are marked as used by the person, and stored if they were lost; Taken if another
        person used one, or one was withdrawn unused. `revoked`: rows that count the revocations among the entries.
        `external`: whether this process is not the server; a running server then finds the append by
        `external_appends`.
        """
        ...

    async def by_root(self, root_pk: bytes) -> UserRow | None:
        """The person whose log has this root key in force; None if there is none."""
        ...

    async def put_recovery_requests(self, rows: Sequence[RecoveryRequestRow]) -> None:
        """Stores requests (at least one), all or none; each replaces the one of the same person, kind and device."""
        ...

    async def drop_recovery_request(self, uid: bytes, what: str, dev: bytes) -> None:
        """Drops a request. Nothing happens if there is none."""
        ...

    async def recovery_requests(self, uid: bytes) -> list[RecoveryRequestRow]:
        """A person's requests, the oldest first."""
        ...

    async def return_user(self, user: UserRow, entries: Sequence[EntryRow], invites: Sequence[InviteRow]) -> None:
        """Stores a person whose log was lost in a restore, and marks `invites` as used by them; an invitation that was
        lost too is stored. Taken if the person exists, or if an invitation was used by another person or withdrawn
        unused."""
        ...

    async def fill_record(self, uid: bytes, seq: int, staff: StaffRow, search: str) -> None:
        """Stores the staff record of the person `uid` that was lost; `search` is the text that searches find it by.
        Nothing happens if the store has a record, or if the log does not end at `seq`: then a newer binding (an entry
        that ties the log to a record) may name another one."""
        ...

    async def nameless(self) -> list[bytes]:
        """Persons whose staff record is lost."""
        ...

    async def external_appends(self, after: int) -> list[tuple[int, bytes]]:
        """(row, uid) of logs to which another process has appended, with row > after, in order."""
        ...

    async def user(self, uid: bytes) -> UserRow | None: ...

    async def user_entries(self, uid: bytes, after: int, most: int | None = None) -> list[EntryRow]:
        """Entries with seq > after (-1: from the first), in order; at most `most` of them, None for all."""
        ...

    async def put_sighting(self, row: SightingRow) -> None:
        """Stores when the device last signed in; replaces its earlier row."""
        ...

    async def see_again(self, devices: Collection[tuple[bytes, bytes]], now_ms: int) -> None:
        """Stores of each of `devices`, (person, device), that it was seen at `now_ms`. Nothing else of its row changes;
        a device without a row gets none."""
        ...

    async def sightings(self, uid: bytes) -> list[SightingRow]:
        """The last sign-in of each of the person's devices that ever signed in."""
        ...

    async def people(self, uids: Sequence[bytes]) -> list[UserRow]: ...

    async def moved_logs(self, known: Mapping[bytes, int]) -> list[LogHeadRow]:
        """The newest entry of each person's log that has a higher number than `known` has for the person, in no order.
        Unknown persons are left out. Reads nothing else of a person: their staff records would cost ten times as
        much."""
        ...

    async def search_people(self, words: Sequence[str], limit: int, *, recorded: bool = False) -> list[UserRow]:
        """Persons whose search text holds every word, by that text's order. `recorded`: only those with a staff record,
        which a restore may have lost."""
        ...
