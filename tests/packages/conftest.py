# SPDX-License-Identifier: EUPL-1.2
"""Tests of what is handed to IT. The builder is run as a folder, so its modules are top-level ones here too.

`make test-packages` starts them as soon as deb and rpm are built, while the MSI is still being built.
"""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "packaging" / "builder"))


@pytest.fixture(scope="session")
def whole() -> None:
    """Waits for the end of a running build, which makes the MSI and the checksums last."""
    import building

    building.wait()


@pytest.fixture
def built() -> Path:
    """The folder of what `make packages` built."""
    from places import OUT

    if not OUT.is_dir():
        pytest.skip("nothing is built: make packages")
    return OUT
