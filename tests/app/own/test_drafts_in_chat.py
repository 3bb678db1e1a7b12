# SPDX-License-Identifier: EUPL-1.2
"""What a person was writing on one device is there on their others; what they type is never replaced."""

import asyncio

import pytest

from app.chat.drafts import Draft
from app.chat.records import MAX_TEXT
from app.core.ids import RoomId
from app.own import service
from tests.app.own.test_reads_in_chat import CASE, AtHand, Two, messages, share, two
from tests.world import until

__all__ = ["two"]  # a fixture


def leave(device: AtHand, draft: Draft) -> None:
    device.chat.keep_draft(CASE, draft)
    device.chat.leave_draft(CASE)


def test_a_draft_follows_when_its_field_is_left(two: Two) -> None:
    home, office, server = two
    told: list[RoomId] = []
    office.chat.draft_changed.connect(told.append)
    sent = messages(1)
    for device in two[:2]:
        device.come(sent)
    leave(home, Draft(text="Hej å 🙂", reply_to=sent[0].change_id, files=("/hemma/a.pdf",)))
    share(server, home, office)
    assert office.chat.draft(CASE) == Draft(text="Hej å 🙂", reply_to=sent[0].change_id)
    assert told == [CASE]


async def test_a_draft_is_written_for_the_other_devices_as_soon_as_its_field_is_left(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _, _ = two
    for pause in ("GATHER_S", "EVERY_S"):
        monkeypatch.setattr(service, pause, 10_000.0)
    running = asyncio.ensure_future(home.own.run())
    for text in ("Hej å 🙂", "Hej igen ö"):
        leave(home, Draft(text=text))
        await until(lambda: not home.own.waits)
    written = home.written()
    home.chat.leave_draft(CASE)
    home.settings.set("theme", "dark")
    for _ in range(10):
        await asyncio.sleep(0)
    assert (home.written(), home.own.waits) == (written, True), "a draft that is the same hurries nothing"
    running.cancel()


def test_what_is_sent_from_the_other_device_is_no_draft_any_more(two: Two) -> None:
    home, office, server = two
    leave(home, Draft(text="Hej å 🙂"))
    share(server, home, office)
    assert office.chat.draft(CASE).text == "Hej å 🙂"
    leave(office, Draft())
    share(server, home, office)
    assert home.chat.draft(CASE) == office.chat.draft(CASE) == Draft()


def test_what_was_changed_there_is_shown_here_if_nothing_was_typed_here(two: Two) -> None:
    home, office, server = two
    leave(home, Draft(text="Hej"))
    share(server, home, office)
    assert office.chat.draft(CASE).text == "Hej"
    leave(office, Draft(text="Hej, och mer å"))
    share(server, home, office)
    assert home.chat.draft(CASE).text == "Hej, och mer å"


def test_a_draft_that_is_only_looked_at_stays_with_the_device_that_wrote_it(two: Two) -> None:
    home, office, server = two
    leave(home, Draft(text="Hej å"))
    share(server, home, office)
    assert office.chat.draft(CASE).text == "Hej å"
    office.chat.leave_draft(CASE)
    share(server, home, office)
    assert home.chat.draft(CASE).text == office.chat.draft(CASE).text == "Hej å"
    leave(home, Draft())
    share(server, home, office)
    assert office.chat.draft(CASE) == Draft()


def test_a_draft_that_is_too_long_to_share_stays_whole_and_replaces_the_other_once_it_is_shorter(two: Two) -> None:
    home, office, server = two
    leave(home, Draft(text="Hej å 🙂"))
    share(server, home, office)
    assert office.chat.draft(CASE).text == "Hej å 🙂"
    long = Draft(text="å" * (MAX_TEXT + 1))
    leave(office, long)
    share(server, home, office)
    assert home.chat.draft(CASE).text == "Hej å 🙂"
    assert office.chat.draft(CASE) == long
    leave(office, Draft(text="å" * MAX_TEXT))
    share(server, home, office)
    assert home.chat.draft(CASE).text == "å" * MAX_TEXT


def test_what_is_typed_here_is_never_replaced_and_the_other_comes_once_it_is_sent(two: Two) -> None:
    """▲ Two drafts that were written apart are both kept."""
    home, office, server = two
    leave(home, Draft(text="Skrivet hemma"))
    leave(office, Draft(text="Skrivet på jobbet 🙂"))
    share(server, home, office)
    assert home.chat.draft(CASE).text == "Skrivet hemma"
    assert office.chat.draft(CASE).text == "Skrivet på jobbet 🙂"
    leave(office, Draft())
    assert office.chat.draft(CASE).text == "Skrivet hemma"
    share(server, home, office)
    assert home.chat.draft(CASE).text == "Skrivet hemma"


def test_what_was_typed_further_is_kept_when_the_other_device_has_sent_the_draft(two: Two) -> None:
    home, office, server = two
    leave(home, Draft(text="Hej"))
    share(server, home, office)
    assert office.chat.draft(CASE).text == "Hej"
    home.chat.keep_draft(CASE, Draft(text="Hej, fortsätter å"))
    leave(office, Draft())
    share(server, home, office)
    assert home.chat.draft(CASE).text == "Hej, fortsätter å"
