# SPDX-License-Identifier: EUPL-1.2
"""In which thread the product does something."""

import functools
import threading
from typing import Any

import pytest


def note_threads(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[bool]:
    """Has each call of the function `name` of `owner` noted. Returns a list that gets, for each call, whether it was
    made in the thread of the event loop, which calls this function too."""
    loop, on_loop, real = threading.get_ident(), list[bool](), getattr(owner, name)

    @functools.wraps(real)
    def noted(*given: Any, **named: Any) -> Any:
        on_loop.append(threading.get_ident() == loop)
        return real(*given, **named)

    monkeypatch.setattr(owner, name, noted)
    return on_loop
