# SPDX-License-Identifier: EUPL-1.2
"""The Flatpak manifest and the Containerfile, as far as they can be held to something without their programs."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sync.server.operator.command_line import make_parser

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
FLATPAK = (PACKAGING / "flatpak/se.kansli.Kansli.yml").read_text(encoding="utf-8")
CONTAINER = (PACKAGING / "server/Containerfile").read_text(encoding="utf-8").replace("\\\n", "")


@pytest.mark.parametrize("text", [FLATPAK, CONTAINER], ids=["flatpak", "container"])
def test_it_says_that_nobody_has_run_it(text: str) -> None:
    assert "UNTESTED" in text.partition("\n\n")[0]


def test_the_flatpak_sees_no_folder_of_the_persons_and_no_whole_bus() -> None:
    arguments = re.findall(r"^  - (--\S+)", FLATPAK, re.MULTILINE)
    assert "--share=network" in arguments
    wide = ("--filesystem", "--socket=session-bus", "--socket=system-bus", "--device=all", "--socket=x11")
    assert not [a for a in arguments if a.startswith(wide) or a.endswith("*")]


def test_the_flatpak_is_called_as_the_desktop_file_is() -> None:
    assert (PACKAGING / "linux/client/se.kansli.Kansli.desktop").exists()
    assert "\nid: se.kansli.Kansli\n" in FLATPAK


def instruction(name: str) -> str:
    """The last one of that name."""
    return str(re.findall(rf"^{name} (.*)$", CONTAINER, re.MULTILINE)[-1])


def test_the_container_is_nobody_special_and_starts_the_server_with_options_that_it_has() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instruction("USER"))
    assert instruction("VOLUME") == "/var/lib/kansli"
    read = make_parser().parse_args(json.loads(instruction("CMD")))
    assert (read.command, read.host) == ("serve", "0.0.0.0")  # noqa: S104 - within a container


class Health(BaseHTTPRequestHandler):
    """Answers with the server's status."""

    def do_GET(self) -> None:
        assert isinstance(self.server, HealthServer)
        self.send_response(self.server.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass


class HealthServer(HTTPServer):
    """On a free port of this machine."""

    status = 200


@pytest.fixture
def health() -> Iterator[HealthServer]:
    server = HealthServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_containers_health_check_tells_well_from_ill_from_gone(health: HealthServer) -> None:
    command = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])

    def well(port: int) -> bool:
        asked = [part.replace("9464", str(port)) for part in command]
        return subprocess.run(asked, capture_output=True, check=False, timeout=20).returncode == 0

    assert well(health.server_port)
    health.status = 503
    assert not well(health.server_port)
    assert not well(1)
