# SPDX-License-Identifier: EUPL-1.2
"""Received files in the settings as steps: some are kept on the computer, and on a full disk that is said."""

from hashlib import sha256

from PySide6.QtWidgets import QScrollArea, QWidget

from app.core.ids import PartId, new_obj
from app.store.cached_parts import WantedPart
from tests.shots import story as told
from tests.shots.camera import quiet
from tests.shots.scene import Scene, Step
from tests.world import until

_MB = 1_000_000


async def _received(s: Scene) -> QWidget:
    store = s.story.me.store
    for n, size in enumerate((3 * _MB, 1 * _MB)):
        sealed = bytes([n]) * size
        digest = sha256(sealed).digest()
        wanted = WantedPart(
            part=PartId(bytes([n]) * 16), room=s.story.rooms[told.CASE], obj=new_obj(), digest=digest, size=size
        )
        store.cached.reserve(wanted)
        await store.cached.keep(digest, sealed)
        if n:
            store.cached.pin([wanted])
    await store.cache_upkeep.tidy()
    s.window.go_section("settings")
    await _show(s)
    return s.window


async def _show(s: Scene) -> None:
    """Shows the card as it is now."""
    card = s.window.settings_view.received_files
    card.refresh()
    await until(card.empty_all.isVisible)
    await quiet()
    card.empty_all.setFocus()
    for area in s.window.settings_view.findChildren(QScrollArea):
        area.ensureWidgetVisible(card.empty_all, 0, 60)


async def full(s: Scene) -> QWidget:
    window = await _received(s)
    upkeep = s.story.me.store.cache_upkeep
    await upkeep.empty()
    upkeep.low_bytes, low = 10**18, upkeep.low_bytes
    await upkeep.tidy()
    upkeep.low_bytes = low
    await _show(s)
    return window


VIEWS: dict[str, Step] = {"received-files": _received, "received-files-disk-full": full}
