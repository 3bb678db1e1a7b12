# SPDX-License-Identifier: EUPL-1.2
"""Frames about people: the directory and user logs."""

import msgspec

from sync.protocol.messages.frame import Frame, Signed


class Directory(Frame, frozen=True, tag="directory"):
    """Looks people up exactly by their ids (`uids`, at most 2,000), or without ids by words of their staff record
    (`query`); at most 50 for a query. People without a staff record are left out."""

    rid: int
    query: str
    uids: list[bytes]


class Person(msgspec.Struct, frozen=True, array_like=True):
    """One person in the directory: their staff record with its salt, and the newest entry of their user log. The client
    checks record and salt against the binding in the log, the entry that names their hash."""

    uid: bytes
    salt: bytes
    record: bytes
    ulog_seq: int
    ulog_head: bytes


class DirectoryReply(Frame, frozen=True, tag="directory-reply"):
    rid: int
    people: list[Person]


class UserLog(Frame, frozen=True, tag="user-log"):
    """Asks for the entries of a person's key log with a number above `after`, as many as fit an answer."""

    rid: int
    uid: bytes
    after: int


class UserLogReply(Frame, frozen=True, tag="user-log-reply"):
    rid: int
    uid: bytes
    after: int
    entries: list[Signed]


class UserAppend(Frame, frozen=True, tag="user-append"):
    """Appends entries to the sending person's own key log, all or none. Each names the hash of the entry before it;
    CONFLICT if the log has grown meanwhile. Answered by Ok; or by VetoPeriod, and not appended yet, for a device's
    revocation that is signed with the recovery sheet's root key and that a device may veto."""

    rid: int
    entries: list[Signed]


class KnownLog(msgspec.Struct, frozen=True, array_like=True):
    """A person, and the number (from 0) of the newest entry of their key log that the sender knows."""

    uid: bytes
    seq: int


class MovedLogs(Frame, frozen=True, tag="moved-logs"):
    """Asks which of at most 2,000 people's key logs have newer entries than `known` names. A client names the members
    of its rooms, each with the lowest entry to which the log of one of these rooms refers, so that a room learns of a
    member's lost device. Answered by MovedLogsReply."""

    rid: int
    known: list[KnownLog]


class LogHead(msgspec.Struct, frozen=True, array_like=True):
    """The newest entry of a person's user log, as the server states it; the entries are the proof."""

    uid: bytes
    seq: int
    head: bytes


class MovedLogsReply(Frame, frozen=True, tag="moved-logs-reply"):
    """The answer to MovedLogs: the people whose logs go further, with the newest entry of each."""

    rid: int
    heads: list[LogHead]


class MemberMoved(Frame, frozen=True, tag="member-moved"):
    """Server to a room's listeners (devices that subscribed to it): a member lost a device or their account. The
    listeners then send `MovedLogs`."""

    room: bytes
