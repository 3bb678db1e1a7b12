# SPDX-License-Identifier: EUPL-1.2
"""Runs the real program, without a screen, through a day's work, and says on stdout as JSON what it reached for.

    python -m tests.journeys.confined DATA SERVER CODE CA_FILE FILE

Python tells of what it opens itself (`sys.addaudithook`); of what Qt opens, the kernel (/proc/self).
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from app.core.enums import RoomType

seen: dict[str, set[str]] = {"connects": set(), "names": set(), "writes": set(), "starts": set(), "sockets": set()}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        seen["connects"].add(":".join(map(str, address)) if isinstance(address, tuple) else f"unix:{address!r}")
    elif event == "socket.getaddrinfo":
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        seen["names"].add(f"{host}:{arguments[1]}")
    elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
        seen["names"].add(str(arguments[0]))
    elif event == "open" and isinstance(arguments[0], str | bytes) and arguments[2] & _WRITING:
        seen["writes"].add(str(Path.cwd() / os.fsdecode(arguments[0])))
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate"):
        target = arguments[0] if event in ("os.mkdir", "os.truncate") else arguments[1]
        seen["writes"].add(str(Path.cwd() / os.fsdecode(target)))
    elif event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile"):
        seen["starts"].add(str(arguments[0]))


def look_at_sockets() -> None:
    """The other ends of this process's internet sockets, whoever opened them."""
    ours = set()
    for number in Path("/proc/self/fd").iterdir():
        try:
            ours.add(str(number.readlink()))
        except OSError:
            continue
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        table = Path(f"/proc/self/net/{kind}")
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if f"socket:[{fields[9]}]" in ours:
                seen["sockets"].add(f"{kind} {int(fields[2].rpartition(':')[2], 16)}")


def main() -> int:
    _data, server, code, ca_file, file = sys.argv[1:6]
    import ui.main
    from app.chat.tool import TOOL as CHAT
    from app.documents.tool import TOOL as DOCUMENTS
    from app.settings import CA_FILE
    from tests.journeys.desks import PASSPHRASE
    from tests.world import until
    from ui.program import Program

    class Working(Program):
        """Works as soon as it runs, and ends."""

        async def run(self) -> None:
            work = asyncio.ensure_future(self.work())
            work.add_done_callback(lambda _: self.ending.over.set())
            await super().run()
            work.result()

        async def work(self) -> None:
            office = self._office
            office.settings.set(CA_FILE, ca_file)
            found = await office.look_up(server, code)
            self._open(await office.enrol(found, PASSPHRASE, lambda *_: None))
            await until(lambda: self.stage.session is not None and self.stage.session.status.state == "online")
            session = self.stage.session
            assert session is not None
            room = await session.rooms.create("Tillsyn åäö", RoomType.CASE)
            session.service(CHAT).send(room, "Hej 🖋")
            await session.service(CHAT).send_file(room, [Path(file)], "Kompletteringen")
            document = session.service(DOCUMENTS).create(room, "Beslut")
            session.service(DOCUMENTS).open(document).splice(0, 0, "Skälen åäö")
            await until(lambda: session.status.waiting == 0)
            self._on_called("kansli://" + "0" * 32 + "/" + "0" * 32 + "?kind=chat\n")
            self._on_called("https://example.com/\n")
            look_at_sockets()
            states: list[str] = []
            session.status_changed.connect(lambda: states.append(session.status.state))
            session.hurry()
            await until(lambda: set(states) > {"online"} and session.status.state == "online")
            look_at_sockets()
            await self.ending.close()  # as locking does, which would start another process
            self._open(await office.unlock(PASSPHRASE))
            await until(lambda: self.stage.session is not None and self.stage.session.status.state == "online")
            look_at_sockets()

    ui.main.Program = Working  # type: ignore[attr-defined]  # the same class, at work
    status = ui.main.main(["--data", sys.argv[1]])
    print(json.dumps({what: sorted(found) for what, found in seen.items()}))
    return status


if __name__ == "__main__":
    sys.addaudithook(_hear)
    sys.exit(main())
