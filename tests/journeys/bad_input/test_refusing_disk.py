# SPDX-License-Identifier: EUPL-1.2
"""A disk that refuses while an account is made: the person reads why, and a second attempt succeeds."""

import errno
from functools import partial
from pathlib import Path

import pytest

from app.errors import DiskFull, StoreUnwritable, WeakPassphrase
from app.session import Session
from app.store.keyslots import StoreKeys
from tests.journeys.bad_input.checks import explained
from tests.journeys.bad_input.signing_in import new_desk, still_new
from tests.journeys.desks import PASSPHRASE, Offices
from tests.world import until

FIRST = "en annan, först vald"


async def test_a_full_disk_makes_no_account_and_says_so(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    code, desk = await o.w.invite("Registrator"), new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    with monkeypatch.context() as disk:
        disk.setattr("app.arrival.place.write_atomic", full)
        with pytest.raises(DiskFull) as e:
            await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    explained(e.value.code, "disk-full")
    await still_new(o, desk, code)


async def test_a_file_that_is_locked_while_the_attempt_is_cleared_away_hides_no_error(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def locked(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("store.db"):
            raise PermissionError(errno.EACCES, "used by another process")
        unlink(path, missing_ok=missing_ok)

    code, desk = await o.w.invite("Registrator"), new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    with monkeypatch.context() as disk:
        disk.setattr(Path, "unlink", locked)
        with pytest.raises(WeakPassphrase):
            await desk.office.enrol(found, "kort", lambda text, done, total: None)
        with pytest.raises(StoreUnwritable):  # there is no other error that this one could hide
            desk.office.start_over()
    assert desk.office.is_unfinished
    desk.office.start_over()
    await still_new(o, desk, code)


async def test_an_account_that_only_could_not_be_opened_is_opened_by_a_second_attempt(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(keys: StoreKeys) -> Session:
        raise StoreUnwritable

    code, desk = await o.w.invite("Registrator"), new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    with monkeypatch.context() as disk:
        disk.setattr(desk.office.place, "open", refuse)
        with pytest.raises(StoreUnwritable):
            await desk.office.enrol(found, FIRST, lambda text, done, total: None)
    assert (await desk.office.look_up(desk.server, code)).name == "Registrator"
    desk.session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    o.desks.append(desk)
    await desk.online()
    assert not desk.office.is_unfinished
    await desk.restart()  # by PASSPHRASE, the passphrase of the second attempt
    assert desk.session.people.me.name == "Registrator"


@pytest.mark.parametrize("by", ["code", "device"])
async def test_an_account_whose_mark_cannot_be_removed_is_opened_and_confirmed_later(
    o: Offices, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """The account was complete, the person read that the disk refuses, and a paired device had to begin again."""
    desk, unlink = new_desk(o, "Ny dator"), Path.unlink

    def locked(path: Path, missing_ok: bool = False) -> None:
        if path == desk.profile.enrolling_path:
            raise PermissionError(errno.EACCES, "used by another process")
        unlink(path, missing_ok=missing_ok)

    if by == "code":
        found = await desk.office.look_up(desk.server, await o.w.invite("Registrator"))
        enter = partial(desk.office.enrol, found, PASSPHRASE, lambda text, done, total: None)
    else:
        (old,) = await o.hire("Registrator")
        peer = await desk.let_in(old, "Ny dator")
        enter = partial(desk.office.join, peer, PASSPHRASE, lambda text, done, total: None)
    with monkeypatch.context() as disk:
        disk.setattr(Path, "unlink", locked)
        desk.session = await enter()
        o.desks.append(desk)
        assert desk.office.is_unfinished
    await desk.online()
    await until(lambda: not desk.office.is_unfinished)
    assert desk.session.people.me.name == "Registrator"
