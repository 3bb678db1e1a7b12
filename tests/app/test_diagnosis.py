# SPDX-License-Identifier: EUPL-1.2
"""The report to the IT department holds what helps and nothing that anybody wrote, is called, or where they are."""

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app import diagnosis
from app.bootstrap import Office
from app.chat.tool import TOOL as CHAT
from app.core import log
from app.core.enums import LinkState, RoomType
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import FileUnreadable
from app.session import Session
from app.settings import CA_FILE, LANGUAGE
from app.trial import SERVER, trial
from tests.world import until

CANARY = "Kanariefågel åäö 🐤"


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[tuple[Office, Session]]:
    async with trial(tmp_path / CANARY, CANARY, f"lösenfras {CANARY}") as found:
        yield found


@pytest.mark.slow
async def test_a_report_holds_no_content_no_name_and_no_address(office: tuple[Office, Session]) -> None:
    place, session = office
    log.start(place.profile.logs_folder, "debug")
    try:
        await until(lambda: session.status.state is LinkState.ONLINE)
        room = await session.rooms.create(CANARY, RoomType.CASE)
        session.service(CHAT).send(room, CANARY)
        session.service(DOCUMENTS).create(room, CANARY)
        log.ui.warning("odd", title=CANARY, code="a-code")
        place.settings.set(CA_FILE, f"/{CANARY}/ca.pem")
        await until(lambda: session.status.waiting == 0)
    finally:
        log.stop()
    whole = "\n".join(diagnosis.report(place.profile, place.settings).values())
    assert "kansli.log" in " ".join(diagnosis.report(place.profile, place.settings))
    for secret in (CANARY, SERVER, SERVER.partition(":")[0], str(place.profile.folder), session.people.me.uid.hex()):
        assert secret not in whole
    assert "ca-file = given" in whole
    assert "ways of unlocking: passphrase" in whole
    assert "database " in whole


@pytest.mark.slow
async def test_a_report_shows_what_is_set_and_by_whom(office: tuple[Office, Session]) -> None:
    place, _ = office
    place.settings.set(LANGUAGE, "en")
    assert "language = en" in diagnosis.report(place.profile, place.settings)["settings.txt"].splitlines()


def test_the_file_holds_what_was_shown(tmp_path: Path) -> None:
    shown = {"program.txt": "Kansli 1 åäö\n", "logs/kansli.log": "rad\n"}
    diagnosis.write(shown, tmp_path / "rapport.zip")
    with zipfile.ZipFile(tmp_path / "rapport.zip") as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == shown


def test_a_report_that_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileUnreadable):
        diagnosis.write({}, tmp_path / "taken")


def test_of_a_long_log_the_newest_whole_lines_are_in_it(tmp_path: Path) -> None:
    file = tmp_path / "kansli.log"
    file.write_text("".join(f"rad {n:09}\n" for n in range(400_000)), encoding="utf-8")
    unzipped = diagnosis._tail(file)
    assert len(unzipped) <= diagnosis.MAX_LOG_BYTES
    assert unzipped.startswith("rad ")
    assert unzipped.endswith("rad 000399999")
