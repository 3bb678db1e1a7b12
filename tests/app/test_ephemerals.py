# SPDX-License-Identifier: EUPL-1.2
"""Which tool gets a colleague's ephemeral message: its kind says so, since the sender's role was judged by the kind."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.core.ids import DevId, RoomId, Uid
from app.session import Session
from sync.client.ports import CARET, PRESENCE, TYPING

ROOM, WHO, DEV = RoomId(b"R" * 16), Uid(b"U" * 16), DevId(b"D" * 16)


@pytest.mark.parametrize(("kind", "given"), [(TYPING, ["typing"]), (CARET, ["caret"]), (PRESENCE, []), (4, [])])
def test_attack_a_message_is_given_to_the_tool_of_its_kind_alone(kind: int, given: list[str]) -> None:
    """A reader may send a caret, and what says that somebody writes in the chat could lie in one."""
    received: list[str] = []
    tools = SimpleNamespace(
        chat=SimpleNamespace(typing=SimpleNamespace(receive=lambda *_: received.append("typing"))),
        documents=SimpleNamespace(on_ephemeral=lambda *_: received.append("caret")),
    )
    Session.on_ephemeral(cast("Session", tools), ROOM, WHO, DEV, b"payload", kind)
    assert received == given
