# SPDX-License-Identifier: EUPL-1.2
"""Settings that follow: chosen on one device they count on the other at once, and what policy fixes changes nowhere."""

from datetime import timedelta
from pathlib import Path

import pytest

from app import settings as s
from app.core import clock
from app.core.enums import Presence
from app.errors import DiskFull
from app.notification_settings import NOTIFICATIONS
from app.own.status import OwnStatus
from app.presence.records import stored
from app.setting import Value
from app.settings import SETTINGS
from tests.app.own.devices import DAY_MS, Device, Two
from tests.app.presence.simulated import START_MS, World, room_of, uid_of


def test_what_is_chosen_on_one_device_counts_on_the_other_at_once(two: Two) -> None:
    home, office, server = two
    changed: list[str] = []
    office.preferences.changed.connect(changed.append)
    home.preferences.set(s.LANGUAGE, "en")
    home.preferences.set(s.THEME, "contrast-dark")
    home.preferences.set(s.SHOW_TYPING, False)
    home.own.flush()
    server.meet(home, office)
    assert office.preferences.get(s.LANGUAGE) == "en"
    assert office.preferences.get(s.THEME) == "contrast-dark"
    assert office.preferences.get(s.SHOW_TYPING) is False
    assert sorted(changed) == ["language", "show-typing", "theme"]
    assert not office.own.waits  # nothing comes back
    office.restart()
    assert office.preferences.get(s.LANGUAGE) == "en"


def test_the_value_chosen_last_counts_on_both(two: Two) -> None:
    home, office, server = two
    home.preferences.set(s.THEME, "dark")
    office.now_ms += 1000
    office.preferences.set(s.THEME, "light")
    for device in two[:2]:
        device.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    assert home.preferences.get(s.THEME) == office.preferences.get(s.THEME) == "light"


def test_a_new_device_takes_the_persons_values_and_gives_none_of_its_own(two: Two, tmp_path: Path) -> None:
    home, office, server = two
    home.preferences.set(NOTIFICATIONS, "mentions")
    home.own.flush()
    server.meet(home, office)
    new = Device(tmp_path / "new", 3, now_ms=home.now_ms + DAY_MS)
    server.meet(home, office, new)
    assert new.preferences.get(NOTIFICATIONS) == "mentions"
    assert not new.own.waits
    new.close()


def test_what_belongs_to_a_computer_stays_there(two: Two) -> None:
    home, office, server = two
    home.preferences.set(s.TEXT_SIZE, 150)
    home.preferences.set(s.DENSITY, "airy")
    home.preferences.set(s.AUTO_LOCK_MINUTES, 60)
    assert not home.own.waits
    for setting in SETTINGS:  # ▲ a device that sends what does not follow changes nothing
        home.settings.set(setting.key, setting.choices[-1][0] if setting.choices else "a.example")
    home.own.flush()
    server.meet(home, office)
    for setting in SETTINGS:
        if not setting.follows:
            assert office.preferences.value(setting) == setting.default, setting.key


@pytest.mark.parametrize("value", ["rosa 🙂", "", 7, True, None, "x" * 5000])
def test_a_value_that_this_program_does_not_know_changes_nothing(two: Two, value: Value | None) -> None:
    home, office, server = two
    office.preferences.set(s.THEME, "dark")
    home.now_ms += 1000
    home.settings.set("theme", value)
    home.settings.set("from-a-newer-program-å", 1)
    home.own.flush()
    server.meet(home, office)
    assert office.preferences.get(s.THEME) == "dark"


def test_what_policy_fixes_changes_nowhere_and_follows_once_it_is_free(two: Two) -> None:
    home, office, server = two
    policy: dict[str, Value] = {"theme": "contrast"}
    office.preferences.renew(policy, {})
    assert not office.own.waits  # ▲ policy's value is not the person's
    home.preferences.set(s.THEME, "dark")
    home.own.flush()
    server.meet(home, office)
    assert office.preferences.get(s.THEME) == "contrast"
    office.preferences.renew({}, {"theme": "light"})
    assert office.preferences.get(s.THEME) == "dark"
    assert not office.own.waits


def test_a_disk_that_refuses_the_settings_file_keeps_the_value_from_nobody(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, office, server = two
    home.preferences.set(s.THEME, "dark")
    home.own.flush()

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("app.settings_file.write_atomic", refuse)
        server.meet(home, office)
        assert office.preferences.get(s.THEME) == "dark"
    office.restart()
    assert office.preferences.get(s.THEME) == "dark"


def test_what_was_chosen_while_the_store_refuses_is_kept_and_sent(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    home, office, server = two
    with monkeypatch.context() as disk:
        disk.setattr("app.own.service.own_waiting.put", _refuse)
        home.preferences.set(s.THEME, "dark")
    assert home.preferences.get(s.THEME) == "dark"
    home.own.flush()
    server.meet(home, office)
    assert office.preferences.get(s.THEME) == "dark"


def _refuse(*_: object) -> None:
    raise DiskFull


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_status_follows_to_a_device_that_was_off_and_is_sent_by_it(two: Two, is_shown: bool) -> None:
    home, office, server = two
    room = room_of(1)
    w = World({room: [uid_of(0), uid_of(1)]})
    at_home, colleague = w.desk(0, 1, shared=OwnStatus(home.own)), w.desk(1)
    at_home.shown[0] = is_shown
    w.connect(at_home, colleague)
    day = clock.local(START_MS).date() + timedelta(days=3)
    at_home.service.choose(Presence.DO_NOT_DISTURB, "Semester å 🙂", day)
    home.own.flush()
    at_home.service.end()
    at_home.service.close()
    w.disconnect(at_home)
    w.time.pass_s(1000)
    server.meet(home, office)
    at_office = w.desk(0, 2, shared=OwnStatus(office.own))
    at_office.shown[0] = is_shown
    w.connect(at_office)
    w.time.pass_s(20)
    assert at_office.service.quiet
    assert (at_office.service.choice.text, at_office.service.choice.back_on) == ("Semester å 🙂", day)
    seen = colleague.service.of(at_office.uid)
    assert (seen.state if seen is not None else None) == (Presence.DO_NOT_DISTURB if is_shown else None)


def test_a_status_that_comes_while_the_program_runs_is_taken_over_and_an_older_or_damaged_one_is_not(two: Two) -> None:
    home, office, server = two
    w = World({room_of(1): [uid_of(0), uid_of(1)]})
    at_home, at_office = w.desk(0, 1, shared=OwnStatus(home.own)), w.desk(0, 2, shared=OwnStatus(office.own))
    at_home.service.choose(Presence.BUSY, "Nämnd")
    home.own.flush()
    server.meet(home, office)
    assert at_office.service.choice == at_home.service.choice
    older = at_office.service.choice
    w.time.pass_s(60)
    at_office.service.choose(Presence.AVAILABLE)
    newer = at_office.service.choice
    for text in (stored(older), "", "{", "[]"):
        OwnStatus(home.own).set(text)
        home.own.flush()
        server.meet(home, office)
        assert at_office.service.choice == newer
