# SPDX-License-Identifier: EUPL-1.2
"""What the client's package tells the desktop: entry, link handler, MIME type, shop's text, manual page."""

import argparse
import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from places import HOMEPAGE, version

from ui.main import _parser

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "packaging/linux/client"
MANUAL = (ROOT / "packaging/man/kansli.1").read_text(encoding="utf-8")


def test_the_desktop_entry_is_sound_and_takes_our_links() -> None:
    if shutil.which("desktop-file-validate") is None:
        pytest.skip("no desktop-file-validate")
    entry = CLIENT / "se.kansli.Kansli.desktop"
    said = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)
    assert said.stdout + said.stderr == ""
    text = entry.read_text(encoding="utf-8")
    assert "MimeType=x-scheme-handler/kansli;" in text
    assert "Exec=kansli --link %u\n" in text, "what a web page wrote is a link, whatever it looks like"


def test_the_shops_text_is_sound(tmp_path: Path) -> None:
    if shutil.which("appstreamcli") is None:
        pytest.skip("no appstreamcli")
    text = (CLIENT / "se.kansli.Kansli.metainfo.xml").read_text(encoding="utf-8")
    for name, value in {"VERSION": version(), "DATE": "2026-01-01", "HOMEPAGE": HOMEPAGE}.items():
        assert f"@{name}@" in text
        text = text.replace(f"@{name}@", value)
    path = tmp_path / "se.kansli.Kansli.metainfo.xml"
    path.write_text(text, encoding="utf-8")
    said = subprocess.run(["appstreamcli", "validate", "--no-net", path], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_attack_no_reader_of_pictures_is_packed_but_those_for_jpeg_and_svg() -> None:
    tree = ast.parse((ROOT / "packaging/kansli.spec").read_text(encoding="utf-8"))
    wanted = {"UNUSED_FILES", "PYTHONS_OWN", "PICTURES", "used"}
    parts: list[ast.stmt] = [
        node
        for node in tree.body
        if (isinstance(node, ast.FunctionDef) and node.name in wanted)
        or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in wanted)
    ]
    plugins = ("gif", "icns", "ico", "jpeg", "pdf", "svg", "tga", "tiff", "wbmp", "webp", "anything")
    for windows, form in (
        (False, "PySide6/Qt/plugins/imageformats/libq{}.so"),
        (True, "PySide6\\plugins\\imageformats\\q{}.dll"),
    ):
        spec: dict[str, Any] = {"WINDOWS": windows, "Path": Path}
        exec(compile(ast.Module(parts, []), "kansli.spec", "exec"), spec)  # noqa: S102 - our own file, without its run
        kept = {name for name in plugins if spec["used"]((form.format(name), "/venv/x", "BINARY"))}
        assert kept == {"jpeg", "svg"}
        assert spec["used"](("PySide6/Qt/plugins/iconengines/libqsvgicon.so", "/venv/x", "BINARY"))


def test_the_mime_type_is_that_of_unsent_work() -> None:
    from app.devices.unsent import SUFFIX

    text = (CLIENT / "se.kansli.Kansli.xml").read_text(encoding="utf-8")
    assert re.findall(r'<glob pattern="([^"]+)"', text) == [f"*{SUFFIX}"]


def test_the_manual_names_every_option_and_no_other() -> None:
    told = set(re.findall(r"--[a-z-]+", MANUAL.replace("\\-", "-")))
    has = {
        name
        for action in _parser()._actions
        for name in action.option_strings
        if name.startswith("--") and action.help != argparse.SUPPRESS
    }
    assert told == has - {"--help"}
