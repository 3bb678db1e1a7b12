# SPDX-License-Identifier: EUPL-1.2
"""Tests of what is handed to IT. The builder is run as a folder, so its modules are top-level ones here too.

`make test-packages` begins with them when deb and rpm are built, while the MSI is being made.
"""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "packaging" / "builder"))


@pytest.fixture(scope="session")
def whole() -> None:
    """The end of a build that is going on: the MSI and the checksums come last."""
    import building

    building.wait()


@pytest.fixture
def built() -> Path:
    """The folder of what `make packages` built."""
    from places import OUT

    if not OUT.is_dir():
        pytest.skip("nothing is built: make packages")
    return OUT
