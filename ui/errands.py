# SPDX-License-Identifier: EUPL-1.2
"""Tasks that the program does instead of opening its window: `--selftest` and `--diagnose`. Each ends with a status."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QWidget

from app import diagnosis
from app.core.later import Later
from app.errors import ProfileInUse, WorldError
from app.policy import machine
from app.profile import Profile
from app.settings import DENSITY, LANGUAGE, TEXT_SIZE, THEME, Settings
from ui.errors import code_of, sentence_of
from ui.kit import theme
from ui.kit.translate import change_language

if TYPE_CHECKING:
    from ui.shell.settings import diagnosis_dialog
else:
    diagnosis_dialog = Later("ui.shell.settings.diagnosis_dialog", when_idle=True)

Loop = Callable[[QApplication], asyncio.Runner]
DONE, FAILED, UNUSABLE, REFUSED = 0, 1, 2, 3
"""Exit statuses; REFUSED: the person did not want the report written."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Adds `--selftest` and `--diagnose`, tasks that are done instead of opening a window, and the options that belong
    to them, to the command line."""
    parser.add_argument("--selftest", action="store_true", help="try this installation, without a screen, and end")
    parser.add_argument("--report", type=Path, metavar="FILE", help="with --selftest: also write what it says here")
    parser.add_argument(
        "--diagnose", type=Path, metavar="FILE", help="show a report to the IT department, write it as zip, and end"
    )
    parser.add_argument("--yes", action="store_true", help="with --diagnose: write without showing it")


def screenless(arguments: argparse.Namespace) -> bool:
    """Whether the task is done without a screen. Called before there is an application."""
    return arguments.selftest or (arguments.diagnose is not None and arguments.yes)


def hide() -> None:
    """Makes Qt run without a screen, unless the environment names a platform."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def run(application: QApplication, arguments: argparse.Namespace, loop: Loop) -> int | None:
    """Does the task that the command line asks for in place of opening a window: a self-test or a report to IT, on an
    event loop that `loop` makes. Returns the exit status (0 done, 1 failed, 2 the profile cannot be used, 3 the person
    did not want the report); None if it asks for none of these tasks."""
    if arguments.selftest:
        from ui.selftest import SelfTest  # brings a whole server: no other start waits for it

        try:
            write_line = reporter(arguments.report)
        except OSError:  # raised, it would be a box on Windows that waits for a person
            reporter(None)("kansli: the file for --report cannot be written")
            return FAILED
        theme.apply(application, "light")
        with loop(application) as runner:
            return runner.run(SelfTest(application, write_line).run())
    if arguments.diagnose is not None:
        return _diagnose(application, arguments, loop)
    return None


def _diagnose(application: QApplication, arguments: argparse.Namespace, loop: Loop) -> int:
    write_line = reporter(None)
    try:
        profile = _read(arguments)
    except WorldError as fault:
        write_line(f"kansli: {sentence_of(fault).text} ({code_of(fault)})")
        return UNUSABLE
    try:
        policy = machine()
        settings = Settings(profile.settings_path, policy.fixed, policy.defaults)
        target = arguments.diagnose.absolute()
        if arguments.yes:
            diagnosis.write(diagnosis.report(profile, settings), target)
        else:
            change_language(settings.get(LANGUAGE))
            theme.resize(application, settings.get(TEXT_SIZE), settings.get(DENSITY))
            theme.apply(application, settings.get(THEME))
            with loop(application) as runner:
                if not runner.run(_ask(profile, settings, target)):
                    return REFUSED
    except WorldError as fault:
        write_line(f"kansli: {sentence_of(fault).text} ({code_of(fault)})")
        return FAILED
    finally:
        profile.close()
    write_line(f"kansli: {target.name}")
    return DONE


def _read(arguments: argparse.Namespace) -> Profile:
    """Opens the profile that the command line names, for the report to IT; makes it if there is none. A profile that
    another process has open is read all the same, without its lock, since that process may be the one that hangs.
    ProfileInUse if that cannot be done; BadProfileName, DataOnNetwork, DataOfAnother, StoreUnwritable, StoreCorrupt as
    from `Profile.open`."""
    try:
        return Profile.open(arguments.profile, arguments.data)
    except ProfileInUse:
        found = Profile.look(arguments.profile, arguments.data)
        if found is None:
            raise
        ident, folder = found
        return Profile(arguments.profile, folder, ident, None)


async def _ask(profile: Profile, settings: Settings, target: Path) -> bool:
    make = partial(diagnosis.report, profile, settings)
    return await diagnosis_dialog.show_diagnosis(QWidget(), make, diagnosis.write, target) is not None


def reporter(file: Path | None) -> Callable[[str], None]:
    """Returns a function that writes a line on the terminal, if there is one, and into `file`, if it is given, in place
    of what was there. OSError if the file cannot be written now; the function ignores a disk that refuses later."""
    lines: list[str] = []
    if file is not None:
        file.write_text("", encoding="utf-8")

    def write_line(line: str) -> None:
        lines.append(line)
        if sys.stdout is not None:  # a program with a window has none on Windows
            print(line, flush=True)
        if file is not None:
            with suppress(OSError):  # full, or gone, since the first line
                file.write_text("\n".join([*lines, ""]), encoding="utf-8")

    return write_line
