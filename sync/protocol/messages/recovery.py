# SPDX-License-Identifier: EUPL-1.2
"""Frames of recovery by recovery sheet, and of the veto against it."""

import msgspec

from sync.protocol.messages.frame import Frame, Signed
from sync.protocol.messages.people import Person


class RecoveryRequest(msgspec.Struct, frozen=True, array_like=True):
    """A change that was requested with the recovery sheet and that any device of the person may veto until `ready`
    (ms).

    `what` is "add" for a new device and "revoke" for a device that is to be revoked; `dev` is that device. `vetoed_by`
    is the device that vetoed the request, or empty.
    """

    what: str
    dev: bytes
    ready: int
    vetoed_by: bytes


class RecoveryRequests(Frame, frozen=True, tag="recovery-requests"):
    """Server to a person's devices when it changes: all requests that may still be vetoed, an empty list for none."""

    requests: list[RecoveryRequest]


class Veto(Frame, frozen=True, tag="veto"):
    """A device vetoes a request. Answered by Ok, also if it was vetoed before or no such request is pending."""

    rid: int
    what: str
    dev: bytes


class RecoverLookup(Frame, frozen=True, tag="recover-lookup"):
    """Asks for the key log whose root key is that of a recovery sheet (`root_pk`), by the key of an open invitation
    (`invite_pk`); the entries after number `after`. Allowed before Auth."""

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
    """Recovers an account with the recovery sheet: a binding by this invitation, a `dev_add` by the root, then
    `dev_revoke`s by the root.

    Taken whole and at once if nobody may veto any more; otherwise the server notes it and answers with VetoPeriod.
    Allowed before Auth.
    """

    rid: int
    invite_pk: bytes
    uid: bytes
    entries: list[Signed]


class VetoPeriod(Frame, frozen=True, tag="veto-period"):
    """The request is noted. From `ready` (ms) on the server takes the same request, built on the log as it is then,
    unless it was vetoed."""

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
