# SPDX-License-Identifier: EUPL-1.2
"""A disk that refuses, in the whole window over a real session: what was written stays, the person is told once, and
Try again and locking store it."""

import asyncio
from contextlib import ExitStack
from types import SimpleNamespace
from typing import cast

import pytest
from PySide6.QtTest import QTest

from app.errors import DiskFull
from tests.journeys.desks import Desk, Offices
from tests.sample_tool.minutes_desk import button, minutes, opened, reads, shown, tab, text_of, window_of
from tests.ui.refusing import Place, full
from ui.kit.toast import Toast
from ui.shell.entry.locking import LockingView
from ui.shell.window import window_place


def place(desk: Desk) -> Place:
    """The desk's store, as tests/ui/refusing.py has the disk refuse for it."""
    return cast("Place", SimpleNamespace(store=desk.session.store))


async def test_an_edit_stays_is_told_of_once_and_try_again_stores_it(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a, b)
    obj = minutes(a).create(room, "Enhetsmöte")
    told: list[str] = []
    monkeypatch.setattr("ui.kit.unsaved_bar.announce", lambda _owner, text, _kind: told.append(text))
    with window_of(a) as window:
        view = tab(window, room)
        view.open(obj)
        with full(place(a)):
            QTest.keyClicks(opened(view).editor, "Beslut: ja")
            bar = opened(view).unsaved_bar
            assert bar.isVisible()
            assert len(told) == 1
            assert "Disken är full." in told[0]
            assert [each.title for each in a.session.unstored()] == ["Enhetsmöte"]
            button(bar, "Försök igen").click()
            assert bar.isVisible()
            button(view, "Tillbaka till protokollen").click()
            assert view.unsaved_bar.isVisible(), "also where the text is not shown any more"
        button(view.unsaved_bar, "Försök igen").click()
        assert not view.unsaved_bar.isVisible()
        assert told[-1] == "Allt är sparat nu"
        assert a.session.unstored() == []
        await reads(b, room, obj, "Beslut: ja")


async def test_an_item_that_the_disk_refuses_stays_in_its_field(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    with window_of(a) as window:
        view = tab(window, room)
        view.agenda.field.setText("Budgeten")
        with full(place(a)):
            view.agenda.add()
            assert view.agenda.field.text() == "Budgeten"
            (toast,) = [each for each in window.findChildren(Toast) if each.isVisible()]
            assert minutes(a).agenda(room) == []
        button(toast, "Försök igen").click()
        assert [item.text for item in minutes(a).agenda(room)] == ["Budgeten"]
        assert view.agenda.field.text() == ""


async def test_locking_waits_until_an_edit_is_stored_and_the_text_is_there_again(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte")
    with ExitStack() as disk:
        with window_of(a) as window:
            view = tab(window, room)
            view.open(obj)
            disk.enter_context(full(place(a)))
            QTest.keyClicks(opened(view).editor, "Beslut: ja")
            opened(view).title.setText("Enhetsmöte i mars")
            opened(view).title.setModified(True)
            window.keep_draft()
            with pytest.raises(DiskFull):
                a.session.save()
        locking = LockingView(a.session.save, "")
        locking.show()
        settling = asyncio.ensure_future(locking.settled())
        await shown(lambda: locking.is_held)
        assert [each.title for each in a.session.unstored()] == ["Enhetsmöte"]
    locking.again.click()
    await settling
    locking.close()
    locking.deleteLater()
    await a.restart()
    assert text_of(a, obj) == "Beslut: ja"
    with window_of(a) as window:
        view = tab(window, room)
        view.open(obj)
        assert opened(view).title.text() == "Enhetsmöte i mars"


async def test_the_minutes_are_there_again_after_a_lock_at_their_caret(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = minutes(a).create(room, "Enhetsmöte")
    with window_of(a) as window:
        view = tab(window, room)
        view.open(obj)
        QTest.keyClicks(opened(view).editor, "Beslut: ja")
        window_place.keep(window, a.session)
    await a.restart()
    with window_of(a) as window:
        view = tab(window, room)
        assert opened(view).obj == obj
        assert opened(view).editor.selection() == (10, 10)
        assert window.focusWidget() is opened(view).editor
