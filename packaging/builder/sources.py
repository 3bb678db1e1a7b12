# SPDX-License-Identifier: EUPL-1.2
"""Whether a program was frozen already: a digest of everything that it is made of lies beside what was frozen."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from places import PACKAGING, ROOT, version

_FOLDERS = ("app", "ui", "sync", "resources")


def digest(name: str, *made_with: str) -> str:
    """In hex, of the project's sources, the description packaging/<name>.spec, the version, and `made_with`: what else
    a bundle depends on, such as its wheels and interpreter.

    The time is not in it: the server, frozen on Linux as of two times, was the same byte for byte. A program for
    Windows carries that of the commit that it was frozen at.
    """
    found = hashlib.sha256("\0".join([version(), *made_with]).encode())
    paths = [PACKAGING / f"{name}.spec", ROOT / "LICENSE"]
    for folder in _FOLDERS:
        paths += [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted(paths):
        found.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def unless_frozen(stamp: Path, wanted: Callable[[], str], freeze: Callable[[], None]) -> None:
    """Calls `freeze` unless `stamp` says that it was done of the same. SystemExit if sources change meanwhile."""
    before = wanted()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == before:
        return
    stamp.unlink(missing_ok=True)
    freeze()
    if wanted() != before:  # seen: a program of which one half did not know the other
        raise SystemExit("packages: the sources were changed while they were frozen")
    stamp.write_text(before, encoding="utf-8")
