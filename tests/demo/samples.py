# SPDX-License-Identifier: EUPL-1.2
"""`make run`: a server on this machine with sample data, and the application's window for each of two sample users.

The first time the data is made, by the windows' own pilots; later the same data opens, by the passphrase that is
printed. All of it lies in build/run; remove that folder to begin anew.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.demo import sample
from tests.demo.doing import (
    DOCUMENTS,
    TASKS,
    add_card,
    add_member,
    enrol,
    mention,
    new_document,
    new_room,
    open_room,
    send,
    write_block,
)
from tests.demo.driver import Client
from tests.demo.sample import HANDLER, HEAD
from tests.demo.serve import SERVER, prepare

FOLDER = Path("build/run")
PORT = 8743
USERS = {"handlaggare": HANDLER, "enhetschef": HEAD}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo.samples", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--no-windows", action="store_true", help="only make the data")
    arguments = parser.parse_args(argv)
    if not (arguments.no_windows or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("There is no display to open windows on. `make demo` works without one.")
        return 1
    folder = arguments.out.resolve()
    made = folder / "made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
    data = folder / "server"
    prepare(data)
    command = [*SERVER, "--log", "WARNING", "serve", "--data", str(data), "--port", str(arguments.port)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that server and windows end with it
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    windows: list[subprocess.Popen[str]] = []
    try:
        assert server.stdout is not None
        if not server.stdout.readline():
            return 1
        if not made.exists():
            print("Making the sample data: two people, a case room, chat, a draft decision, a board …", flush=True)
            _make(folder, data, f"https://localhost:{arguments.port}")
            made.touch()
        if arguments.no_windows:
            return 0
        print(f"Two windows open. Passphrase: {sample.PASSPHRASE}", flush=True)
        for label in USERS:
            environment = {**os.environ, "KANSLI_DATA": str(folder / label)}
            windows.append(subprocess.Popen([sys.executable, "-m", "ui"], env=environment, text=True))
        for window in windows:
            window.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in (*windows, server):
            process.terminate()
        for process in (*windows, server):
            process.wait(15)
    return 0


def _client(folder: Path, data: Path, label: str) -> Client:
    profile = folder / label / "profiles/default"
    profile.mkdir(parents=True)
    settings = json.dumps({"ca-file": str(data / "ca.pem")})
    (profile / "settings.json").write_text(settings, encoding="utf-8")
    environment = {"KANSLI_DATA": str(folder / label), "QT_QPA_PLATFORM": "offscreen"}
    environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return Client(label, folder / label, [], environment)


def _make(folder: Path, data: Path, server: str) -> None:
    """Does by keyboard, unseen, what two people would have done in a morning."""
    handler, head = (_client(folder, data, label) for label in USERS)
    try:
        for client, name in ((handler, HANDLER), (head, HEAD)):
            invite = [*SERVER, "invite", "--data", str(data), "--name", name, "--title", name, "--unit", sample.UNIT]
            code = subprocess.run(invite, capture_output=True, text=True, check=True).stdout.strip()
            enrol(client, server, code, name)
        new_room(handler, sample.ROOM)
        add_member(handler, HEAD)
        open_room(head)
        send(handler, sample.ARRIVED)
        mention(handler, sample.ASKED, HEAD)
        send(head, sample.ANSWERED)
        handler.keys(DOCUMENTS)
        new_document(handler, sample.DOCUMENT)
        write_block(handler, "Ctrl+Alt+1", "Beslut")
        write_block(handler, "Ctrl+Alt+2", "2 Bakgrund")
        write_block(handler, "Ctrl+Alt+0", sample.BACKGROUND)
        write_block(handler, "Ctrl+Alt+2", "3 Skälen för beslutet")
        handler.type(sample.REASONS)
        handler.keys(TASKS)
        for card in sample.CARDS:
            here = card.assignee in USERS.values()  # the sample's registrar is not one of the two
            add_card(handler, card if here else replace(card, assignee=HEAD))
        handler.stop()
        head.stop()
    finally:
        handler.kill()
        head.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
