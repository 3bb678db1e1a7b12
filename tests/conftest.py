# SPDX-License-Identifier: EUPL-1.2
"""What holds for every test: no display, no real keyring, one time zone, cheap passphrases, and no time limit on
Hypothesis."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sync.crypto.passphrase import MIN_MEMORY_KIB, Argon2Params

HERE = Path(__file__).parent
WHOLE = {HERE / name for name in ("journeys", "sync/client", "sync/server", "ui/shell", "ui/desktop")}
"""Where every test starts a server, several clients or the whole window."""

# Before the first import of Qt or keyring. A test of the keyring slot sets its own backend.
os.environ["QT_QPA_PLATFORM"] = os.environ.get("KANSLI_TEST_PLATFORM", "offscreen")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["TZ"] = "Europe/Stockholm"
time.tzset()

ROOM = 4 * 1024**3


def _work_in_memory() -> None:
    """Has pytest make its temporary folders in memory where there are ROOM bytes of it: a commit waits for the disk,
    and a run makes hundreds of thousands. No test can tell: what is killed here is a process, not the power."""
    memory = "/dev/shm"  # noqa: S108 - pytest makes a folder of its own there, as in /tmp
    if sys.platform != "linux" or "PYTEST_DEBUG_TEMPROOT" in os.environ or not Path(memory).is_dir():
        return
    found = os.statvfs(memory)
    if found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = memory


_work_in_memory()

# Two cores are shared with other work: a slow example is no fault. CI draws the same examples each time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    """The system trusts nobody: each connection would read its 150 certificates for 10 ms, and the server of a test has
    its own. The tests of built packages fetch what they need from Debian, and need them."""
    if config.getoption("markexpr") != "packages":
        os.environ["SSL_CERT_FILE"] = str(HERE / "nobody.crt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole are slow without saying so one by one: together they are minutes."""
    for item in items:
        if WHOLE & set(item.path.parents):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Python's search for garbage leaves the modules and 4,000 tests alone: none of them goes before the end."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def default_cost() -> Iterator[Callable[[], Argon2Params]]:
    """Gives what a new passphrase costs in the program. In the tests it costs the least that is accepted, one twelfth
    of that: every desk of a test has a passphrase. Programs that a test starts pay the default."""

    def fresh(cls: type[Argon2Params]) -> Argon2Params:
        return cls(salt=os.urandom(16), memory_kib=MIN_MEMORY_KIB, passes=1)

    default = Argon2Params.fresh
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2Params, "fresh", classmethod(fresh))
        yield default
