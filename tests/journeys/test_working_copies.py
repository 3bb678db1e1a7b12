# SPDX-License-Identifier: EUPL-1.2
"""A file that another program has open, from a real server to the next session: nothing of it is on a disk in plain
afterwards, and what was changed is kept."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.chat.opening import Opening
from app.chat.tool import TOOL as CHAT
from app.copies.errors import AccountEnded, DeviceRevoked
from app.core.ids import RoomId
from app.errors import ExportOff
from app.settings import ALLOW_EXPORT
from tests.demo.canary import search
from tests.journeys.desks import Desk, Offices
from tests.journeys.test_reset import reset
from tests.world import until

CANARY = "Sekretess: åtgärden avslås på fredag 🙂"
NAME = "Avslag åtgärden Storgatan 114 🙂.heic"
PROGRAM = """
import pathlib, sys
path, recent = map(pathlib.Path, sys.argv[1:])
text = path.read_bytes() + b"changed"
with recent.open("a") as file:
    file.write(f'<bookmark href="{path.as_uri()}"/>')
new = path.with_name("saved")
new.write_bytes(text)
new.replace(path)
"""
"""A program as many are: notes the file among the recent ones, and saves it by exchanging it."""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[Path]:
    """The folders in which content could be left: the person's own, the temporary one, and the one in memory."""
    names = {
        "HOME": "home", "XDG_RUNTIME_DIR": "runtime", "XDG_CACHE_HOME": "home/.cache", "TMPDIR": "tmp",
        "XDG_DATA_HOME": "home/.local/share", "XDG_CONFIG_HOME": "home/.config", "XDG_STATE_HOME": "home/.state",
    }  # fmt: skip
    for variable, name in names.items():
        (tmp_path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return [tmp_path / name for name in ("home", "runtime", "tmp")]


async def with_file(o: Offices, a: Desk, b: Desk) -> RoomId:
    """A room in which `a` has sent a document, and `b` has it."""
    room = await o.room(a, b)
    (source := o.w.folder / "sent").mkdir()
    (source / NAME).write_bytes(b"\0\0\0\x18ftypheic" + CANARY.encode() * 9)
    await a.session.service(CHAT).send_file(room, [source / NAME], "Här är beslutet")
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == 1)
    await until(lambda: a.session.store.waiting_count() == 0)
    return room


def opening_of(desk: Desk) -> Opening:
    opening = desk.session.service(CHAT).opening
    assert opening is not None
    return opening


async def opened(desk: Desk, room: RoomId) -> Path:
    message = desk.session.service(CHAT).timeline(room).message(0)
    return await opening_of(desk).open(room, message, 0, "Skrivskyddad kopia")


async def use(path: Path, recent: Path) -> None:
    """Another program has the file, and changes it."""
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(path), str(recent))
    assert await program.wait() == 0


async def test_nothing_of_a_copy_is_left_in_any_folder_and_its_change_is_kept(
    o: Offices, places: Sequence[Path]
) -> None:
    recent = places[0] / ".local/share/recently-used.xbel"
    a, b = await o.hire("Handläggare", "Registrator")
    room = await with_file(o, a, b)
    path = await opened(b, room)
    assert [found.place for found in search([CANARY], [b.profile.folder, *places])] == [path]  # it would be found
    inside = places[1] if os.environ["XDG_RUNTIME_DIR"].startswith("/dev/shm") else b.profile.folder  # noqa: S108
    assert path.is_relative_to(inside)
    await use(path, recent)
    changed = path.read_bytes()
    await b.restart()
    assert not path.exists()
    (kept,) = opening_of(b).changed(room)
    assert (await opening_of(b).copies.read(kept.id))[1] == changed
    again = await opening_of(b).open_changed(kept.id, "Skrivskyddad kopia")
    assert again.read_bytes() == changed
    await b.close()
    assert "Skrivskyddad%20kopia%201.heic" in recent.read_text()
    assert search([CANARY, NAME, "Storgatan 114", "åtgärden"], [b.profile.folder, *places]) == []
    await b.begin()


async def test_where_policy_forbids_saving_nothing_is_opened_and_what_was_kept_can_be_sent(
    o: Offices, places: Sequence[Path]
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await with_file(o, a, b)
    await use(await opened(b, room), places[0] / "recent")
    await b.close()
    b.policy[ALLOW_EXPORT.key] = False
    await b.begin()
    with pytest.raises(ExportOff):
        await opened(b, room)
    await until(lambda: bool(opening_of(b).changed(room)))
    (kept,) = opening_of(b).changed(room)
    with pytest.raises(ExportOff):
        await opening_of(b).save_changed(kept.id, places[2] / "utanför")
    assert len((await opening_of(b).copies.read(kept.id))[1]) > 0


async def test_a_revoked_device_removes_its_copies_at_once_and_keeps_what_was_changed(
    o: Offices, places: Sequence[Path]
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await with_file(o, a, b)
    new = await o.second(b)
    await until(lambda: bool(new.session.rooms.rooms()) and len(new.texts(room)) == 1)
    read, changed = await opened(new, room), await opened(new, room)
    await use(changed, places[0] / "recent")
    (gone,) = [device for device in b.session.devices.all() if not device.mine]
    await b.session.devices.revoke(gone.dev)
    await until(lambda: not new.session.copies.is_any_open)
    assert not read.exists()
    assert not changed.exists()
    (kept,) = opening_of(new).changed(room)
    assert (await opening_of(new).copies.read(kept.id))[1].endswith(b"changed")
    with pytest.raises(DeviceRevoked):
        await opened(new, room)
    with pytest.raises(DeviceRevoked):
        await opening_of(new).open_changed(kept.id, "Skrivskyddad kopia")


async def test_attack_who_has_stolen_the_only_device_keeps_no_copies_once_the_agency_ends_the_account(
    o: Offices, places: Sequence[Path]
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await with_file(o, a, b)
    read = await opened(b, room)
    await reset(o, b)
    await until(lambda: not b.session.copies.is_any_open)
    assert not read.exists()
    with pytest.raises(AccountEnded):
        await opened(b, room)
