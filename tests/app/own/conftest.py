# SPDX-License-Identifier: EUPL-1.2
"""Two computers of one person, and a server between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.own.devices import Device, Server, Two


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    home, office = Device(tmp_path / "home", 1), Device(tmp_path / "office", 2)
    for device in (home, office):
        device.follow()
    yield home, office, Server()
    home.close()
    office.close()
