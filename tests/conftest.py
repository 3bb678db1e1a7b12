# SPDX-License-Identifier: EUPL-1.2
"""What holds for every test: no display, no real keyring, one time zone, cheap passphrases, and no time limit on
Hypothesis."""

import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.entropy import deterministic_PRNG

from sync.client.room.tracked_room import TrackedRoom
from sync.crypto.passphrase import MIN_MEMORY_KIB, Argon2Params
from tests.memory import memory_folder

HERE = Path(__file__).parent
WHOLE = {HERE / name for name in ("journeys", "sync/client", "sync/server", "ui/shell", "ui/desktop", "sample_tool")}
"""Where every test starts a server, several clients or the whole window."""

# Before the first import of Qt or keyring. A test of the keyring slot sets its own backend.
os.environ["QT_QPA_PLATFORM"] = os.environ.get("KANSLI_TEST_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["TZ"] = "Europe/Stockholm"
time.tzset()

ROOM = 4 * 1024**3


def _work_in_memory() -> None:
    """Makes pytest and `tempfile` put temporary folders in memory if ROOM bytes are free there: a commit waits for the
    disk, and a run makes hundreds of thousands of commits. Tests are not affected, since they kill processes and never
    cut the power. Programs that a test starts have their own in the system's folder."""
    memory = memory_folder(ROOM)
    if memory is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
        tempfile.tempdir = str(memory)


_work_in_memory()

# Two cores are shared with other work: a slow example is no fault. CI draws the same examples each time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    """Takes the system's certificates away from tests. Reading all 150 takes 10 ms at each connection, and a test's
    server has its own certificate. The tests of built packages keep them, since they download from Debian."""
    if config.getoption("markexpr") != "packages":
        os.environ["SSL_CERT_FILE"] = str(HERE / "nobody.crt")


@pytest.fixture(autouse=True)
def no_window_is_left_that_shows_errors() -> Iterator[None]:
    """A window that was closed would be given the errors of the next test. Most tests never load `ui`."""
    yield
    loaded = sys.modules.get("ui.kit.tasks")
    if loaded is not None:
        loaded.set_error_hook(None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Searches no garbage while tests are collected: there is hardly any, and the search takes a quarter of the time.
    Each worker collects them all."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of whole folders as slow, and runs the longest tests first. Otherwise one worker would be left
    with one of them at the end of a run."""
    for item in items:
        if WHOLE & set(item.path.parents):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("longest") is None)


def pytest_collection_finish() -> None:
    """Excludes the modules and the 4,000 collected tests from Python's search for garbage: they stay until the end
    anyway. Hypothesis makes its random generator first: it asks who refers to it, and what is excluded is not found."""
    with deterministic_PRNG():
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def default_cost() -> Iterator[Callable[[], Argon2Params]]:
    """Returns a function for the default cost of a new passphrase. In the tests a new passphrase has the lowest cost
    that is accepted, one twelfth of the default, since every desk of a test has one. Programs that a test starts use
    the default."""

    def fresh(cls: type[Argon2Params]) -> Argon2Params:
        return cls(salt=os.urandom(16), memory_kib=MIN_MEMORY_KIB, passes=1)

    default = Argon2Params.fresh
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2Params, "fresh", classmethod(fresh))
        yield default


@pytest.fixture(autouse=True, scope="session")
def unlisted_transitions_are_raised() -> Iterator[None]:
    """A room's transition that its table does not list fails the test. In the product it stops the room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrackedRoom, "raises", True)
        yield


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Deletes the widgets of the test that ends. Qt waits for the next turn of its loop, and a test without a
    loop has none: the widgets would stay, and every change of theme or text size would lay out thousands of them."""
    core = sys.modules.get("PySide6.QtCore")
    if core is not None and core.QCoreApplication.instance() is not None:
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete.value)


def pytest_sessionfinish() -> None:
    """Empties the clipboard: Qt's offscreen platform would delete what Python put there after Python has ended, which
    ends the process with a segmentation fault."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is not None and widgets.QApplication.instance() is not None:
        widgets.QApplication.clipboard().clear()
