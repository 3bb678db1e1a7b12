# SPDX-License-Identifier: EUPL-1.2
"""What a full disk has refused is named, and is tried once more when the session ends."""

from pathlib import Path

import pytest

from app.chat.drafts import Draft
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, RoomType
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import DiskFull
from app.tasks.tool import TOOL as TASKS
from app.trial import trial
from app.unstored import Unstored
from tests.world import until


async def test_what_a_full_disk_refused_is_named_and_stored_at_the_end_at_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise DiskFull

    async with trial(tmp_path, "Handläggare", "fyra vanliga ord, å ä ö") as (_, session):
        await until(lambda: session.status.state is LinkState.ONLINE)
        room = await session.rooms.create("Bygglov åäö", RoomType.CASE)
        obj = session.service(DOCUMENTS).create(room, "Tjänsteskrivelse 🖋")
        document, board = session.service(DOCUMENTS).open(obj), session.service(TASKS).board(room)
        with monkeypatch.context() as full:
            full.setattr(session.store.changes, "append", refuse)
            full.setattr(session.store.objects, "set_draft", refuse)
            document.splice(0, 0, "Skälen å")
            board.add_card(board.columns()[0].id, "Begär yttrande")
            with pytest.raises(DiskFull):
                session.service(CHAT).keep_draft(room, Draft(text="Jag har läst å"))
            with pytest.raises(DiskFull):
                session.save()
            board_title = session.store.objects.first(room, "board").title  # type: ignore[union-attr]  # it comes with the room
            assert session.unstored() == [
                Unstored(title="Tjänsteskrivelse 🖋", room="Bygglov åäö", draft=False),
                Unstored(title=board_title, room="Bygglov åäö", draft=False),
                Unstored(title="", room="Bygglov åäö", draft=True),
            ]
            assert session.service(DOCUMENTS).unsaved(obj)
        await session.close()
        assert session.unstored() == []
