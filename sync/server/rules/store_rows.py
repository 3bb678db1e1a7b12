# SPDX-License-Identifier: EUPL-1.2
"""Turns judged items, members and logs into rows for the store."""

from collections.abc import Mapping, Sequence

from sync.ids import Uid
from sync.protocol.messages import Signed, WireShare
from sync.server.store.base import Appended, EntryRow, InviteRow, ItemRow, MemberChange, ShareRow, StaffRow, UserRow
from sync.trust.formats.items import Item, next_rh
from sync.trust.person.agency import decode_record
from sync.trust.person.user_log import UserLog
from sync.trust.room.envelope import share_commitment
from sync.trust.room.payloads import Add
from sync.trust.room.room_state import Member
from sync.trust.room.stream import Accepted, AcceptedEntry


def item_rows(rh: bytes, items: Sequence[Item], ids: Sequence[bytes]) -> list[ItemRow]:
    """The items as rows for the store, in their order, each with its running hash, which covers all items up to it.
    `rh`: the running hash of the position before the first. `ids`: the items' ids, in the same order; ValueError if
    there are not as many."""
    rows = []
    for item, ident in zip(items, ids, strict=True):
        rh = next_rh(rh, item.n, item.t, item.kind, ident)
        rows.append(
            ItemRow(n=item.n, t=item.t, kind=item.kind, id=ident, rh=rh, body=item.body, sig=item.sig, ct=item.ct)
        )
    return rows


def share_rows(room: bytes, accepted: Sequence[Accepted], shares: Sequence[WireShare]) -> list[ShareRow] | None:
    """The rows of the shares that a client sent with items of the room with the id `room`; a share is the secret of an
    object, sent with the object's first item. None unless `shares` are exactly those of the objects that begin in
    `accepted`, and each matches its commitment there."""
    given = {s.obj: s.share for s in shares}
    rows = []
    for a in accepted:
        if isinstance(a, AcceptedEntry) or not a.hdr.share_c:
            continue
        share = given.pop(a.hdr.obj, b"")
        if share_commitment(room, a.hdr.obj, share) != a.hdr.share_c:
            return None
        rows.append(ShareRow(obj=a.hdr.obj, n=a.n, share_c=a.hdr.share_c, share=share))
    return None if given else rows


def returned_shares(room: bytes, accepted: Sequence[Accepted], shares: Sequence[WireShare]) -> list[ShareRow]:
    """The rows of the shares (secrets) of objects that begin in `accepted`, items of the room with the id `room` that a
    client uploads again after a restore; none for an item that is void (refused by the room's rules). A share that is
    not in `shares`, or does not match its commitment, counts as lost: its row has None. [] if no object begins there.
    For new items use `share_rows`, which accepts no such share."""
    given = {s.obj: s.share for s in shares}
    rows = []
    for a in accepted:
        if isinstance(a, AcceptedEntry) or not a.hdr.share_c or a.void is not None:
            continue
        share = given.get(a.hdr.obj)
        good = share is not None and share_commitment(room, a.hdr.obj, share) == a.hdr.share_c
        rows.append(ShareRow(obj=a.hdr.obj, n=a.n, share_c=a.hdr.share_c, share=share if good else None))
    return rows


def member_changes(
    before: Mapping[Uid, Member], after: Mapping[Uid, Member], accepted: Sequence[Accepted]
) -> list[MemberChange]:
    """The persons who became members or ceased to be members between `before` and `after`, the members before and after
    the items `accepted`, which are not empty. First those who ceased, each with the position of the entry that ended
    their membership; then the new ones, each with the person that added them (None for a founder). A person who is in
    both is left out, also if they left and were added again in between."""
    if before is after:
        return []
    last = accepted[-1].n
    gone, added = {}, {}
    for a in accepted:
        if isinstance(a, AcceptedEntry):
            subject = getattr(a.entry.payload, "uid", a.entry.uid)
            gone[subject] = a.n
            if isinstance(a.entry.payload, Add) and a.void is None:
                added[subject] = a.entry.uid
    out = [MemberChange(uid=u, until_n=gone.get(u, last)) for u in before if u not in after]
    return out + [MemberChange(uid=u, until_n=None, by=added.get(u)) for u in after if u not in before]


def authors(accepted: Sequence[Accepted]) -> set[Uid]:
    """The authors of these items; void items are not counted."""
    return {a.entry.uid if isinstance(a, AcceptedEntry) else a.hdr.uid for a in accepted if a.void is None}


def user_row(log: UserLog, staff: InviteRow | StaffRow) -> UserRow:
    """The row of a person whom the store does not have yet, from their log and the staff record in `staff`; the record
    may be empty. Reject for a record that cannot be decoded."""
    return UserRow(
        uid=log.uid,
        seq=log.seq,
        head=log.head,
        salt=staff.salt,
        record=staff.record,
        search=search_text(staff.record),
        root_pk=log.root_pk,
    )


def appended(log: UserLog, staff: InviteRow | StaffRow | None) -> Appended:
    """What changes in a person's stored row, now that `log` has new entries: the hash of its newest entry, the root key
    in force, and the staff record. `staff` has the record that a binding (the entry that ties a log to a staff record)
    among the new entries names; None keeps the stored record. Reject for a record that cannot be decoded."""
    if staff is None:
        return Appended(head=log.head, root_pk=log.root_pk)
    search = search_text(staff.record)
    return Appended(head=log.head, root_pk=log.root_pk, salt=staff.salt, record=staff.record, search=search)


def entry_rows(first: int, entries: Sequence[Signed]) -> list[EntryRow]:
    """The rows of entries of a user log; the first has the number `first`."""
    return [EntryRow(seq=first + k, body=e.body, sig=e.sig) for k, e in enumerate(entries)]


def search_text(record: bytes) -> str:
    """The text by which searches find the staff record `record` (encoded): name, title and unit in lower case, with a
    space between them; a missing one is empty. "" for an empty record. Reject "malformed", "encoding" or "oversize" for
    a record that cannot be decoded."""
    if not record:
        return ""
    fields = decode_record(record)
    return " ".join(fields.get(k, "") for k in ("name", "title", "unit")).casefold()
