# SPDX-License-Identifier: EUPL-1.2
"""What an earlier version wrote, tests/vectors/sync-1-*.json, for the tests that open it with the present code.

A failure in this folder means that existing rooms and accounts no longer open. The values in the files are never
changed; a new format gets a new version and files of its own beside these.
"""

from typing import Any

import pytest

from tests.sync.vectors.stored import load


@pytest.fixture(scope="module")
def primitives() -> Any:
    return load("primitives")


@pytest.fixture(scope="module")
def person() -> Any:
    return load("person")


@pytest.fixture(scope="module")
def pairing() -> Any:
    return load("pairing")


@pytest.fixture(scope="module")
def room() -> Any:
    return load("room")


@pytest.fixture(scope="module")
def pieces() -> Any:
    return load("pieces")
