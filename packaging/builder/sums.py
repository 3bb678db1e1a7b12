# SPDX-License-Identifier: EUPL-1.2
"""SHA256SUMS of everything in build/packages, as `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

from places import OUT

NAME = "SHA256SUMS"
SIGNATURE = f"{NAME}.asc"


def write() -> Path:
    """Of what lies there now."""
    lines = []
    for path in sorted(p for p in OUT.rglob("*") if p.is_file() and p.name not in (NAME, SIGNATURE)):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(OUT).as_posix()}\n")
    (OUT / NAME).write_text("".join(lines), encoding="utf-8")
    return OUT / NAME
