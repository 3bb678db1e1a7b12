# SPDX-License-Identifier: EUPL-1.2
"""What rooms ask of a tool that the product does not know: newcomers, clearing, a room that goes on in another, and an
object of which a change is held back."""

import asyncio
import time

import pytest
from PySide6.QtWidgets import QLabel

from app.core.ids import RoomId
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from sync.client.exchange import snapshot_maker
from sync.trust.room.successor_claim import object_in
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import divide, keep_copy
from tests.patience import PATIENCE_S
from tests.sample_tool.minutes_desk import TEXT, minutes, reads, tab, text_of, window_of, write
from tests.world import until

WORDS = "Vi beslutade om tillsynen och lokalerna å 🙂 i dag"


async def has_items(desk: Desk, room: RoomId, number: int) -> None:
    """Waits until an agenda has so many items."""
    await until(lambda: len(minutes(desk).agenda(room)) == number)


async def test_a_newcomer_has_the_minutes_and_with_the_history_the_agenda_too(o: Offices) -> None:
    a, b, c = await o.hire("Enhetschef", "Handläggare", "Sakkunnig")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte å")
    write(a, obj, TEXT)
    minutes(a).add_item(room, "Budgeten")
    await until(lambda: a.session.store.waiting_count() == 0)
    await o.add(a, room, b, history=True)
    await reads(b, room, obj, TEXT)
    await until(lambda: [item.text for item in minutes(b).agenda(room)] == ["Budgeten"])
    await o.add(a, room, c, history=False)
    await reads(c, room, obj, TEXT)
    assert [row.title for row in minutes(c).minutes(room)] == ["Enhetsmöte å"]
    assert minutes(c).agenda(room) == [], "records of before are not given on"
    minutes(b).add_item(room, "Lokalerna")
    await until(lambda: [item.text for item in minutes(c).agenda(room)] == ["Lokalerna"])
    write(c, obj, " Till sist.")
    for desk in (a, b):
        await reads(desk, room, obj, f"{TEXT} Till sist.")


async def test_the_history_is_cleared_on_the_server_and_a_later_member_reads_on(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 6)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    a, b, c = await o.hire("Enhetschef", "Handläggare", "Sakkunnig")
    room = await o.room(a, b, c)
    obj = minutes(a).create(room, "Enhetsmöte å")
    minutes(a).add_item(room, "Budgeten")
    for word in WORDS.split():
        write(a, obj, f"{word} ")
        await until(lambda: a.session.store.waiting_count() == 0)
    await until(lambda: a.session.pruning.refusal(room) is None)
    await until(lambda: text_of(b, obj) == WORDS)

    plan = await a.session.pruning.plan(room)
    deadline = time.monotonic() + PATIENCE_S
    while not plan.ready and time.monotonic() < deadline:  # until a snapshot is there and attested
        await asyncio.sleep(0.05)
        plan = await a.session.pruning.plan(room)
    assert [found.title for found in plan.ready] == ["Enhetsmöte å"], "an agenda's records are never cleared"
    await a.session.pruning.prune(room, lambda *_: None)
    (later,) = await o.hire("Registrator")
    await o.add(a, room, later, history=True)
    await reads(later, room, obj, WORDS)
    await until(lambda: [item.text for item in minutes(later).agenda(room)] == ["Budgeten"])
    write(later, obj, "mer")
    for desk in (a, b, c):
        await reads(desk, room, obj, f"{WORDS} mer")


async def test_a_room_that_goes_on_in_another_takes_its_minutes_and_its_agenda_along(o: Offices) -> None:
    owner, clerk, other = await o.hire("Handläggare", "Registrator", "Enhetschef")
    room = await o.room(owner, other)
    await o.add(owner, room, clerk, history=True)
    obj = minutes(owner).create(room, "Enhetsmöte å")
    write(owner, obj, TEXT)
    handled = minutes(owner).add_item(room, "Behandlad")
    item = next(item for item in minutes(owner).agenda(room) if item.item == handled)
    minutes(owner).close_item(room, item, True)
    minutes(owner).add_item(room, "Budgeten")
    for desk in (clerk, other):
        await reads(desk, room, obj, TEXT)
        await has_items(desk, room, 2)
    await other.close()
    keep_copy(o)
    minutes(owner).add_item(room, "Sett av oss")
    await until(lambda: len(minutes(clerk).agenda(room)) == 3)
    minutes(clerk).add_item(room, "Registratorns")
    await until(lambda: len(minutes(owner).agenda(room)) == 4)

    def meanwhile() -> None:
        write(clerk, obj, " Osänt.")

    await divide(o, room, other, [owner, clerk], meanwhile)
    new = await owner.session.succession.open(room)
    there = object_in(new, room, obj)
    for desk in (owner, clerk):
        await reads(desk, new, there, f"{TEXT} Osänt.")
        await has_items(desk, new, 3)
    me, registrar = owner.session.people.me.uid, clerk.session.people.me.uid
    assert [(i.text, i.by, i.stated_by, i.closed) for i in minutes(clerk).agenda(new)] == [
        ("Budgeten", me, me, False),
        ("Sett av oss", me, me, False),
        ("Registratorns", me, registrar, False),
    ]
    with window_of(clerk) as window:
        view = tab(window, new)
        assert view.card.row(there) is not None
        texts = [label.text() for row in view.agenda.rows.rows for label in row.findChildren(QLabel)]
        assert "Registrator, enligt Handläggare" in texts


async def test_an_item_that_a_colleague_adds_is_a_notice_until_it_was_handled(o: Offices) -> None:
    a, b = await o.hire("Enhetschef", "Handläggare")
    room = await o.room(a, b)
    await until(lambda: any(row.room == room for row in b.session.rooms.rooms()))
    item = minutes(a).add_item(room, "Budgeten å 🙂")
    of_agenda = NoticeFilter(kinds=frozenset({"agenda-item"}))
    await until(lambda: b.session.notices.count(of_agenda) == 1)
    (row,) = b.session.notices.list(of_agenda)
    assert (row.ref, row.by, row.object_kind) == (item, a.session.people.me.uid, "agenda")
    shown = minutes(b).linked(ObjectLink(room=row.room, obj=row.obj, kind=row.object_kind, ref=row.ref))
    assert shown is not None
    assert shown.title == "Budgeten å 🙂", "the text is read from its place"
    assert a.session.notices.count(of_agenda) == 0
    handled = next(each for each in minutes(a).agenda(room) if each.item == item)
    minutes(a).close_item(room, handled, True)
    await until(lambda: b.session.notices.count(of_agenda) == 0)
