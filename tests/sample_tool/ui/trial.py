# SPDX-License-Identifier: EUPL-1.2
"""How `kansli --selftest` tries the tool."""

from app.core.ids import RoomId
from tests.sample_tool.app.service import MinutesService
from ui.tool import Trial


def _write(service: MinutesService, room: RoomId, words: str) -> None:
    service.create(room, words)
    service.add_item(room, words)


def _reads(service: MinutesService, room: RoomId, words: str) -> bool:
    titles = [row.title for row in service.minutes(room)]
    return words in titles and words in [item.text for item in service.agenda(room)]


TRIAL = Trial(write=_write, reads=_reads, checks=())
