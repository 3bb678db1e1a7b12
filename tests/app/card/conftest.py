# SPDX-License-Identifier: EUPL-1.2
"""A smart card in software, and a profile whose store it can open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.profile import Profile
from tests.soft_card import SoftCard


@pytest.fixture
def soft_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftCard:
    """A reader without a card."""
    return SoftCard(tmp_path / "reader", monkeypatch)


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    made = Profile.open("test", tmp_path / "profile")
    yield made
    made.close()
