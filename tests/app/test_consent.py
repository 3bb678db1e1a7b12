# SPDX-License-Identifier: EUPL-1.2
"""Whether one is asked before one is in a room, and what of it is read for the question. Pure."""

from dataclasses import replace

import pytest

from app.core.enums import Role
from app.core.ids import RoomId, Uid
from app.rooms.consent import Knowledge, decide, read
from app.rooms.records import ObjectAnnounced, PersonInvited, RoomNamed, encode
from sync.client.room.invitation_consent import Added, Invitation, InvitedRecord, Verdict

ME, ADDER, OTHER = Uid(b"m" * 16), Uid(b"a" * 16), Uid(b"o" * 16)
STRANGER = Added(
    room=RoomId(b"r" * 16), n=9, adder=ADDER, added_n=7, t=1, role=Role.WRITER, history=True, founder=ADDER
)
NOTHING = Knowledge(me=ME)


def test_a_strangers_room_asks() -> None:
    assert decide(STRANGER, NOTHING) is Verdict.ASK
    assert decide(replace(STRANGER, adder=None, founder=None, long=True), NOTHING) is Verdict.ASK


@pytest.mark.parametrize(
    ("added", "known"),
    [
        (STRANGER, replace(NOTHING, asks=False)),
        (STRANGER, replace(NOTHING, known=True)),
        (STRANGER, replace(NOTHING, continues=True)),
        (replace(STRANGER, wrote=True), NOTHING),
        (replace(STRANGER, founder=ME), NOTHING),
        (replace(STRANGER, founder=ME, adder=None, added_n=0), NOTHING),
        (replace(STRANGER, long=True), replace(NOTHING, known=True)),
    ],
    ids=["policy", "known", "successor", "wrote", "founder", "own", "long"],
)
def test_attack_what_opens_a_room_unasked_is_outweighed_by_a_block_and_by_having_left(
    added: Added, known: Knowledge
) -> None:
    assert decide(added, known) is Verdict.OPEN
    if added.adder is not None:
        assert decide(added, replace(known, blocked=True)) is Verdict.HIDE
        assert decide(replace(added, left=True), known) is Verdict.ASK
        assert decide(replace(added, left=True), replace(known, blocked=True)) is Verdict.HIDE


def test_a_yes_holds_until_one_has_left_and_a_no_for_good() -> None:
    yes, no = replace(NOTHING, accepted=True), replace(NOTHING, declined=True)
    assert decide(STRANGER, yes) is Verdict.OPEN
    assert decide(STRANGER, replace(yes, blocked=True)) is Verdict.OPEN  # the room is one that they are in
    assert decide(replace(STRANGER, spoke=True), replace(NOTHING, blocked=True)) is Verdict.OPEN
    assert decide(replace(STRANGER, wrote=True), no) is Verdict.HIDE
    assert decide(replace(STRANGER, founder=ME), no) is Verdict.HIDE


def invited(*records: tuple[int, Uid, bytes]) -> Invitation:
    found = tuple(InvitedRecord(n=n, uid=uid, payload=payload) for n, uid, payload in records)
    return Invitation(added=STRANGER, read=True, records=found)


def test_the_newest_title_and_the_adders_greeting_to_oneself_are_read() -> None:
    named = encode(RoomNamed(title="Tillsyn å 🙂", type="case"))
    greeting = encode(PersonInvited(uid=ME, title="Tillsyn å 🙂", type="case", text="Hej!\n\n\u202eÅ"))
    shown = read(invited((3, ADDER, named), (8, ADDER, greeting)), ME)
    assert (shown.title, shown.type, shown.greeting) == ("Tillsyn å 🙂", "case", "Hej! Å")
    later = read(invited((8, ADDER, greeting), (9, OTHER, encode(RoomNamed(title="Nytt", type="group")))), ME)
    assert (later.title, later.type, later.greeting) == ("Nytt", "group", "Hej! Å")


def test_attack_nothing_is_read_of_a_record_that_is_anything_else() -> None:
    to_me = PersonInvited(uid=ME, title="Å", type="case", text="Hej")
    by_another = (8, OTHER, encode(to_me))
    to_another = (8, ADDER, encode(PersonInvited(uid=OTHER, title="Å", type="case", text="Hej")))
    too_long = (8, ADDER, encode(PersonInvited(uid=ME, title="Å", type="case", text="x" * 281)))
    no_type = (8, ADDER, encode(RoomNamed(title="Å", type="x" * 33)))
    other = (8, ADDER, encode(ObjectAnnounced(obj=b"o" * 16, kind="board")))
    nested = (8, ADDER, b"\x01" + b"\x91" * 1000)
    newer = (8, ADDER, b"\x02" + encode(to_me)[1:])
    for record in (by_another, to_another, too_long, no_type, other, nested, newer, (8, ADDER, b"")):
        shown = read(invited(record), ME)
        assert (shown.title, shown.greeting) == ("", "")
