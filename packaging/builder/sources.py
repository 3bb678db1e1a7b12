# SPDX-License-Identifier: EUPL-1.2
"""Skips freezing a program again: a digest of everything that the program is made of is stored beside the result."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from places import PACKAGING, ROOT, version

_FOLDERS = ("app", "ui", "sync", "resources")


def digest(name: str, *made_with: str) -> str:
    """A digest in hex of the project's sources, packaging/<name>.spec, the version, and `made_with`: what else a bundle
    depends on, such as its wheels and interpreter.

    The digest does not include the time: the server, frozen on Linux as of two times, was the same byte for byte. A
    program for Windows carries the time of the commit from which it was frozen.
    """
    found = hashlib.sha256("\0".join([version(), *made_with]).encode())
    paths = [PACKAGING / f"{name}.spec", ROOT / "LICENSE"]
    for folder in _FOLDERS:
        paths += [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    for path in sorted(paths):
        found.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def unless_frozen(stamp: Path, wanted: Callable[[], str], freeze: Callable[[], None]) -> None:
    """Calls `freeze` unless the file `stamp` has the digest that `wanted` returns. SystemExit if the sources change
    during `freeze`."""
    before = wanted()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == before:
        return
    stamp.unlink(missing_ok=True)
    freeze()
    if wanted() != before:  # seen: a program of which one half did not know the other
        raise SystemExit("packages: the sources were changed while they were frozen")
    stamp.write_text(before, encoding="utf-8")
