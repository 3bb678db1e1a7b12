# SPDX-License-Identifier: EUPL-1.2
"""The machine that the figures were taken on."""

import importlib.metadata
import os
import platform
import sqlite3
from pathlib import Path

PACKAGES = (
    "PySide6-Essentials",
    "cryptography",
    "msgspec",
    "pycrdt",
    "SQLAlchemy",
    "sqlcipher3",
    "uvicorn",
    "websockets",
)


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def machine() -> dict[str, object]:
    """Processor, memory, system and the versions that matter; no host name and no path."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_mb": int(_field("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "load_before": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
