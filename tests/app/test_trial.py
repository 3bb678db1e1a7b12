# SPDX-License-Identifier: EUPL-1.2
"""The self-test's account is thrown away, and is never in the place of a real one."""

from pathlib import Path

import pytest

from app import policy
from app.arrival.device_pairing import PairingPeer
from app.errors import BugError
from app.policy import Policy
from app.trial import SERVER, trial

FOUND = PairingPeer(name="", title="", unit="", server=SERVER, device="Bärbar dator", digits="")
PASSPHRASE = "fyra vanliga ord, å ä ö"


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_a_trial_leaves_the_accounts_alone_whose_place_policy_fixes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "fixed"
    async with trial(root, "Handläggare", PASSPHRASE):
        pass
    before = files(root)
    assert "profiles/default/store.db" in before
    monkeypatch.setattr(policy, "machine", lambda: Policy(fixed={"data-root": str(root)}))
    async with trial(tmp_path / "thrown away", "Registrator", PASSPHRASE) as (office, _):
        assert office.profile.folder.is_relative_to(tmp_path / "thrown away")
    assert files(root) == before


async def test_enrolling_where_an_account_lives_removes_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with trial(tmp_path, "Handläggare", PASSPHRASE) as (office, session):
        await session.close()
        assert not session.overdue  # a window that is still there asks, every ten minutes
        slots = files(office.profile.slots_folder)
        with pytest.raises(BugError, match="a finished account"):
            await office.enrol(FOUND, PASSPHRASE, lambda step, done, of: None)
        monkeypatch.setattr(office.pairing, "_guest", object())  # a pairing is under way
        with pytest.raises(BugError, match="a finished account"):
            await office.join(FOUND, PASSPHRASE, lambda step, done, of: None)
        assert files(office.profile.slots_folder) == slots != {}
        assert office.profile.db_path.exists()
        again = await office.unlock(PASSPHRASE)
        await again.close()
