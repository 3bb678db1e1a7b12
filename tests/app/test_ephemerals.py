# SPDX-License-Identifier: EUPL-1.2
"""Which tool gets a colleague's ephemeral message: its kind says so, since the sender's role was judged by the kind."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from app.core.ids import DevId, RoomId, Uid
from app.kinds import TOOLS
from app.store.notice_rows import NoticeId
from app.tool import AppTool
from app.trial import trial
from sync.client.ports import CARET, PRESENCE, TYPING
from tests.app.small_tool import SmallService, tool_parts

ROOM, WHO, DEV = RoomId(b"R" * 16), Uid(b"U" * 16), DevId(b"D" * 16)
LISTENING: list[AppTool[SmallService]] = [
    AppTool(**tool_parts() | {"id": tool.id, "kinds": (), "ephemeral": tool.ephemeral}) for tool in TOOLS
]
"""The product's tools with services that note what they receive."""


async def test_attack_a_message_is_given_to_the_tool_of_its_kind_alone(tmp_path: Path) -> None:
    """A reader may send a caret, and what says that somebody writes in the chat could lie in one."""
    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö", LISTENING) as (_, session):
        for kind, payload in ((TYPING, b"typing"), (CARET, b"caret"), (PRESENCE, b"presence"), (4, b"call")):
            session.on_ephemeral(ROOM, WHO, DEV, payload, kind)
        received = {tool.id: session.service(tool).asked for tool in LISTENING}
    assert received == {
        "chat": ["start", "typing", "close_all"],
        "documents": ["start", "caret", "close_all"],
        "tasks": ["start", "close_all"],
    }


async def test_attack_a_colleague_silences_no_reminder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a device of the same person, in the person's own room, says what has rung there."""
    ident, heard = NoticeId(b"n" * 16), list[Mapping[NoticeId, int]]()
    payload = b"\x01" + msgspec.msgpack.encode({"type": "rung", "ids": [ident], "since": [7]})
    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö", LISTENING) as (_, session):
        own = RoomId(b"O" * 16)
        monkeypatch.setattr(session.own_room, "rooms", lambda: [own])
        session.turns.rung.connect(heard.append)
        for room, uid in ((ROOM, WHO), (own, WHO), (ROOM, session.engine.uid)):
            session.on_ephemeral(room, uid, DEV, payload, PRESENCE)
        assert heard == []
        session.on_ephemeral(own, session.engine.uid, DEV, payload, PRESENCE)
        assert heard == [{ident: 7}]
