# SPDX-License-Identifier: EUPL-1.2
"""A module that waits for its first use."""

import subprocess
import sys

import pytest

from app.core.later import Later


@pytest.mark.slow
def test_a_module_is_imported_at_its_first_use() -> None:
    look = "print('pycrdt' in sys.modules)"
    code = f"import sys, app.objects.crdt as c; {look}; c.CrdtDoc(); {look}"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "True"]


def test_what_is_not_there_is_an_error_as_ever() -> None:
    with pytest.raises(AttributeError):
        Later("json").nothing  # noqa: B018 - the look-up is the test
    with pytest.raises(ModuleNotFoundError):
        Later("no_such_module").anything  # noqa: B018
