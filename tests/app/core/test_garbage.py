# SPDX-License-Identifier: EUPL-1.2
"""Only in a process of its own: what is set aside here would be for every other test."""

import gc
import subprocess
import sys
from pathlib import Path

from app.core import garbage

WORK = """
import gc, weakref
from app.core import garbage

class Thing: ...

def ring():
    one, other = Thing(), Thing()
    one.other, other.other = other, one
    return one

old = ring()
sign = weakref.ref(old)
garbage.begin()
garbage.begin()
count = gc.get_freeze_count()
assert gc.callbacks.count(garbage._set_aside) == 1
kept = [ring() for _ in range(1000)]
young = ring()
signs = weakref.ref(young), weakref.ref(kept[0])
del young
gc.collect(1)
assert signs[0]() is None, "a search among the young goes on as ever"
gc.collect()
assert gc.get_freeze_count() >= count + 2000, "what a full search found alive is set aside"
assert len(gc.get_objects()) < 1000
loaded = [ring() for _ in range(500)]
garbage.set_aside()
assert len(gc.get_objects()) < 1000, "nothing is left for the next search"
del old, kept, loaded
gc.collect()
assert sign() is not None and signs[1]() is not None, "no search looks at it again"
garbage.sweep()
assert sign() is None and signs[1]() is None, "but a sweep does"
assert gc.get_freeze_count() > 0 and len(gc.get_objects()) < 1000
"""


def test_what_is_old_is_looked_at_by_a_sweep_alone() -> None:
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", WORK], cwd=root, check=True, timeout=300)


def test_nothing_is_swept_before_it_began() -> None:
    work = "import gc; from app.core import garbage; gc.freeze(); n = gc.get_freeze_count(); garbage.sweep()"
    work += "; assert n - 10 < gc.get_freeze_count()"
    subprocess.run([sys.executable, "-c", work], cwd=Path(__file__).parents[3], check=True, timeout=300)


def test_collection_is_off_during_a_pause_and_as_before_after_it() -> None:
    was_on = gc.isenabled()
    with garbage.paused():
        assert not gc.isenabled()
        with garbage.paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled() == was_on
