# SPDX-License-Identifier: EUPL-1.2
"""Data that ships with the program: icons, fonts, themes, texts. No code beyond finding it."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """Where a resource lies, e.g. `path("icons/send.svg")`; also right inside a frozen build."""
    return _ROOT / name
