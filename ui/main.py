# SPDX-License-Identifier: EUPL-1.2
"""Starts the desktop application: its arguments, one event loop, the profile. The only user of qasync."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import qasync
from PySide6.QtWidgets import QApplication, QDialog

from app.bootstrap import Office
from app.core import dumps, garbage, log
from app.core.files import keep_private
from app.errors import ProfileInUse, WorldError
from app.installed import PROGRAM
from app.profile import DEFAULT, Profile
from app.settings import AUTOSTART, DENSITY, LANGUAGE, LOG_LEVEL, TEXT_SIZE, THEME
from ui import errands
from ui.desktop import again, autostart, environment, proxies, upgrade
from ui.desktop.instance import hand_over, line_name
from ui.desktop.resident import Desktop
from ui.errors import code_of, sentence_of
from ui.kit import errors, faces, icons, theme
from ui.kit.plain import warning
from ui.kit.translate import change_language
from ui.program import Program

SWITCH_INTERVAL_S = 0.001
"""Sealing in threads holds the GIL: the loop must get it back before a person notices."""
OTHER_S = 3.0
"""How long another start of this profile may need until it listens."""


def main(argv: Sequence[str], command: Sequence[str] = ()) -> int:
    """Runs the program to its end and returns the exit status: 0 (also if another instance has taken over, or if the
    desktop started it and the person does not want that), 1 if it could not be started again after locking or a fault
    of our own code has ended it, 2 if the profile cannot be used, or the status of a task that is done instead of
    opening a window. Does not return if it is started again in place of this process. SystemExit at a wrong argument,
    and at --help and --version.

    `argv`: the command line's arguments, without the program's name. `command`: the command that starts the program
    again after locking; empty for the one that started this process.
    """
    files = again.inherited()
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.purge_machine:  # alone it does not come here: with anything else it would open a window, and wait
        parser.error("--purge-machine stands alone")
    background = arguments.background or arguments.autostart
    _prepare(arguments)
    application = _application()
    status = errands.run(application, arguments, _loop)
    if status is not None:
        return status
    try:
        profile = _opened(arguments, quiet=background)
    except WorldError as fault:
        _refuse(application, fault)
        return 2
    if profile is None:
        return 0
    ended = _run(application, arguments, profile, background=background)
    if isinstance(ended, int):
        return ended
    if ended.restart is None:
        return 0
    try:
        line = [*(command or again.command()), *_same(arguments), *ended.restart.arguments()]
        again.start(line, os.environ, files)
    except OSError as fault:  # for example, an upgrade moved the program: the person must start it
        log.start(profile.logs_folder)
        log.ui.exception("not-started-again", fault)
        log.stop()
        return 1


def _prepare(arguments: argparse.Namespace) -> None:
    """Sets up this process for `arguments`, before there is a window: no files or memory dumps that others can read,
    modules loaded from this release even if an upgrade replaces it, garbage collection in short steps, and no window
    for a task that needs none."""
    upgrade.hold_program()
    keep_private()
    dumps.forbid()
    if errands.screenless(arguments):
        errands.hide()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    garbage.begin()


def _application() -> QApplication:
    application = QApplication.instance() or QApplication(["kansli"])
    assert isinstance(application, QApplication)  # noqa: S101 - nobody makes another kind
    application.setApplicationName("Kansli")
    application.setDesktopFileName("se.kansli.Kansli")
    application.setQuitOnLastWindowClosed(False)
    faces.install()
    environment.give_back(os.environ)
    return application


def _run(
    application: QApplication, arguments: argparse.Namespace, profile: Profile, *, background: bool
) -> int | Program:
    """Runs the program until the person quits or locks, and closes log and profile. Returns the program, which may be
    started again, or the exit status: 1 after a fault, 0 if the desktop started it and the person does not want that.
    `background`: it begins without a window."""
    uncaught: errors.Uncaught | None = None
    try:
        office = Office(profile, insecure_loopback=arguments.insecure_loopback, routes=proxies.routes())
        if arguments.autostart and not office.settings.get(AUTOSTART):
            return 0
        log.start(profile.logs_folder, office.settings.get(LOG_LEVEL))
        uncaught = errors.install(profile.logs_folder)
        office.policy.log_findings()
        change_language(office.settings.get(LANGUAGE))
        theme.resize(application, office.settings.get(TEXT_SIZE), office.settings.get(DENSITY))
        theme.apply(application, office.settings.get(THEME))
        application.setWindowIcon(icons.app_icon())
        with _loop(application) as runner:
            uncaught.watch(runner.get_loop())
            desktop = Desktop(command=autostart.command(_of_profile(arguments)))
            how = {"background": background, "locked": arguments.locked}
            program = Program(office, arguments.link, **how, desktop=desktop)
            runner.run(program.run())
        if program.restart is not None:
            log.ui.info("starting-again")
    except Exception as fault:  # raised, it would be on stderr with its message
        log.ui.exception("ended", fault, shown=code_of(fault))
        _write_line(f"kansli: {sentence_of(fault).text} ({code_of(fault)})")
        return 1
    finally:
        if uncaught is not None:
            uncaught.remove()
        log.stop()
        profile.close()
    return program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kansli", description="The sealed office.")
    parser.add_argument("--version", action="version", version=f"kansli {PROGRAM}")
    parser.add_argument("--profile", default=DEFAULT, help="which account's files to use")
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of all profiles (default: KANSLI_DATA or the system's)"
    )
    parser.add_argument(
        "--insecure-loopback", action="store_true", help="allow a server without TLS on this machine (development)"
    )
    parser.add_argument(  # done by ui/__main__.py, and here for --help
        "--purge-machine", action="store_true", help="remove every profile of every user of this computer, and end"
    )
    parser.add_argument(  # the same
        "--check-policies",
        nargs="?",
        const="",
        metavar="FILE",
        help="print what policy fixes on this computer, or what FILE would fix, with each fault, and end",
    )
    parser.add_argument(
        autostart.BACKGROUND, action="store_true", help="without a window: in the tray (as the desktop starts it)"
    )
    parser.add_argument(
        again.LOCKED, action="store_true", help="wait at the gate, as after locking: the key store is not asked unasked"
    )
    parser.add_argument(
        "--autostart", action="store_true", help="the same, for everybody by the installer: only for who wants it"
    )
    errands.add_to(parser)
    parser.add_argument(
        "link", nargs="?", default="", type=_readable, help="kansli://…: an invitation, or what a copied link leads to"
    )
    return parser


def _readable(link: str) -> str:
    """The link with a "?" for each byte that is not UTF-8, which the author of the link may have put in: no text can
    hold them."""
    return link.encode(errors="replace").decode()


def _of_profile(arguments: argparse.Namespace) -> list[str]:
    """The command-line arguments by which the program opens the same profile again; [] for the default one."""
    named = ["--profile", arguments.profile] if arguments.profile != DEFAULT else []
    return [*named, *(["--data", str(arguments.data.absolute())] if arguments.data is not None else [])]


def _same(arguments: argparse.Namespace) -> list[str]:
    """The arguments that a restart needs to open the same profile."""
    return [*_of_profile(arguments), *(["--insecure-loopback"] if arguments.insecure_loopback else [])]


def _opened(arguments: argparse.Namespace, *, quiet: bool) -> Profile | None:
    """Opens the profile that `arguments` name. If another instance has it: returns None once that one has taken over
    the link of this start, or at once if `quiet`. ProfileInUse if the other instance has not answered within 3 s
    (OTHER_S). Any other WorldError, or OSError, if the profile cannot be opened.

    ▲ Both are tried again until then. The other instance may be ending, because it is being locked: then either this
    one gets the profile, or the restarted one does and takes over the link. So no link is lost.
    """
    end = time.monotonic() + OTHER_S
    while True:
        try:
            return Profile.open(arguments.profile, arguments.data)
        except ProfileInUse:
            if quiet or _handed_over(arguments):
                return None
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def _handed_over(arguments: argparse.Namespace) -> bool:
    """Sends the link of this start ("" if it has none: then only the window comes to the front) to the instance that
    has the profile. Returns whether that instance took it; False if none answers."""
    found = Profile.look(arguments.profile, arguments.data)
    if found is None:
        return False
    profile_id, folder = found
    message = f"{arguments.link}\n{os.environ.get('XDG_ACTIVATION_TOKEN', '')}"
    return hand_over(line_name(profile_id, folder, os.environ), profile_id, message)


def _refuse(application: QApplication, fault: WorldError) -> None:
    """Shows that the profile cannot be used, and why (`fault`): on the terminal, and in a dialog, unless Qt runs
    without a screen. Returns when the dialog is closed."""
    shown = sentence_of(fault)
    _write_line(f"kansli: {shown.title} {shown.text} ({code_of(fault)})")
    if QApplication.platformName() != "offscreen":
        box = warning("Kansli", f"{shown.title}\n\n{shown.text}")
        with _loop(application) as runner:
            runner.run(_read(box))


def _write_line(line: str) -> None:
    """Writes a line to standard error, if there is one. A program with a window has none on Windows."""
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")


async def _read(box: QDialog) -> None:
    """Shows the dialog `box`, and returns when the person has closed it."""
    closed = asyncio.Event()
    box.finished.connect(lambda _result: closed.set())
    box.open()
    await closed.wait()


def _loop(application: QApplication) -> asyncio.Runner:
    return asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application))
