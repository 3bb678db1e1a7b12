# SPDX-License-Identifier: EUPL-1.2
"""Frames of recovery by recovery sheet, and of the veto against it."""

import msgspec

from sync.protocol.messages.frame import Frame, Signed
from sync.protocol.messages.people import Person


class RecoveryRequest(msgspec.Struct, frozen=True, array_like=True):
    """A change that was requested with the recovery sheet. The server accepts it from `ready` (its time, ms) on at the
    earliest; any device of the person may veto it until it is accepted.

    `what` is "add" for a new device and "revoke" for a device that is to be revoked; `dev` is that device. `vetoed_by`
    is the device that vetoed the request, or empty. The veto of a device that the agency has revoked does not count.
    """

    what: str
    dev: bytes
    ready: int
    vetoed_by: bytes


class RecoveryRequests(Frame, frozen=True, tag="recovery-requests"):
    """Server to a person's devices when a request was made or vetoed: all requests that the server may still accept,
    vetoed ones too; an empty list for none."""

    requests: list[RecoveryRequest]


class Veto(Frame, frozen=True, tag="veto"):
    """A device vetoes the person's request by recovery sheet that `what` ("add" or "revoke") and the device `dev` name.
    Answered by Ok, also if it was vetoed before or no such request is pending."""

    rid: int
    what: str
    dev: bytes


class RecoverLookup(Frame, frozen=True, tag="recover-lookup"):
    """Asks for the key log whose root key in force is that of a recovery sheet (`root_pk`); the entries after number
    `after`. `invite_pk` is the key of an invitation of the same person, open or used by them. Allowed before Auth."""

    rid: int
    invite_pk: bytes
    root_pk: bytes
    after: int


class RecoverLookupReply(Frame, frozen=True, tag="recover-lookup-reply"):
    """The answer to RecoverLookup: the person, and the entries of their log after `after`, as many as fit."""

    rid: int
    person: Person
    entries: list[Signed]


class Recover(Frame, frozen=True, tag="recover"):
    """Recovers the account `uid` with the recovery sheet. `entries`, for the person's key log: one that binds the log
    to the staff record of the invitation with the key `invite_pk`, one that adds the new device, then revocations of
    old devices, if any. All but the first are signed with the recovery sheet's root key.

    Taken whole and at once, and answered by Ok, if no active device of the person could veto it. Otherwise the server
    notes it and answers with VetoPeriod, and takes it when it is sent again after that period, unless it was vetoed.
    Allowed before Auth.
    """

    rid: int
    invite_pk: bytes
    uid: bytes
    entries: list[Signed]


class VetoPeriod(Frame, frozen=True, tag="veto-period"):
    """The answer to Recover or UserAppend if the request is only noted. From `ready` (its time, ms) on the server takes
    the same request, built on the log as it is then, unless it was vetoed."""

    rid: int
    ready: int


class Escrow(Frame, frozen=True, tag="escrow"):
    """Asks for the agency's public key to which the share of a recovery sheet (its half that is not on the paper) is
    sealed."""

    rid: int


class EscrowReply(Frame, frozen=True, tag="escrow-reply"):
    """The answer to Escrow. `cert` is `enc([escrow_pk])` signed by the agency key under the domain "escrow"."""

    rid: int
    cert: Signed
