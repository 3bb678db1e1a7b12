# SPDX-License-Identifier: EUPL-1.2
"""An installer may start Kansli for everybody who signs in; it runs for those who want that."""

import json
from pathlib import Path

import pytest

from app.settings import AUTOSTART
from ui import main as program
from ui.desktop.resident import Desktop


@pytest.mark.usefixtures("process_kept")
@pytest.mark.parametrize("wanted", [True, False])
def test_it_runs_in_the_background_only_for_who_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object, wanted: bool
) -> None:
    started = []

    class Program:
        restart = None

        def __init__(self, office: object, link: str, *, background: bool, locked: bool, desktop: Desktop) -> None:
            started.append(background)

        async def run(self) -> None:
            return

    settings = tmp_path / "profiles" / "default" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({AUTOSTART.key: wanted}))
    monkeypatch.setattr(program, "Program", Program)
    assert program.main(["--autostart", "--data", str(tmp_path)]) == 0
    assert started == [True] * wanted
