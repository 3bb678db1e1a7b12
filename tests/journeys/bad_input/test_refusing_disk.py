# SPDX-License-Identifier: EUPL-1.2
"""A disk that refuses while an account is made: the person reads why, and a second attempt succeeds."""

import errno
from pathlib import Path

import pytest

from app.errors import DiskFull, StoreUnwritable, WeakPassphrase
from app.session import Session
from app.store.keyslots import StoreKeys
from tests.journeys.bad_input.checks import explained
from tests.journeys.bad_input.signing_in import new_desk, still_new
from tests.journeys.desks import PASSPHRASE, Offices

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


@pytest.mark.parametrize("step", ["confirm", "open"])
async def test_an_account_that_only_could_not_be_opened_is_opened_by_a_second_attempt(
    o: Offices, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse() -> None:
        raise StoreUnwritable

    async def refuse_to_open(keys: StoreKeys) -> Session:
        raise StoreUnwritable

    code, desk = await o.w.invite("Registrator"), new_desk(o)
    found = await desk.office.look_up(desk.server, code)
    with monkeypatch.context() as disk:
        disk.setattr(desk.office.place, step, refuse if step == "confirm" else refuse_to_open)
        with pytest.raises(StoreUnwritable):
            await desk.office.enrol(found, FIRST, lambda text, done, total: None)
    assert (await desk.office.look_up(desk.server, code)).name == "Registrator"
    desk.session = await desk.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
    o.desks.append(desk)
    await desk.online()
    assert not desk.office.is_unfinished
    await desk.restart()  # by PASSPHRASE, the passphrase of the second attempt
    assert desk.session.people.me.name == "Registrator"
