# SPDX-License-Identifier: EUPL-1.2
"""The list of what the program is made of."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from app import licences
from app.licences import Component, normal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def listed() -> tuple[Component, ...]:
    return licences.load()


def test_everything_that_pyproject_asks_for_is_listed(listed: tuple[Component, ...]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    names = {normal(c.name): c.version for c in listed}
    assert listed[0] == licences.own()[0]
    for requirement in asked:
        if requirement.marker is None or requirement.marker.evaluate():
            assert names[normal(requirement.name)] == metadata.version(requirement.name)
    assert "pytest" not in names


def test_every_part_has_a_licence_and_its_text(listed: tuple[Component, ...]) -> None:
    unknown = [c.name for c in listed if not c.licence or "unknown" in c.licence]
    assert not unknown
    silent = [c.name for c in listed if not c.texts and c.name != "Python"]  # Debian puts Python's text elsewhere
    assert not silent


def test_qt_comes_with_the_lgpl_and_the_gpl_that_it_refers_to(listed: tuple[Component, ...]) -> None:
    for name in ("Qt", "PySide6_Essentials", "shiboken6"):
        component = next(c for c in listed if c.name == name)
        assert "LGPL-3.0-only" in component.licence
        assert component.version == metadata.version("PySide6_Essentials")
        assert "GNU LESSER GENERAL PUBLIC LICENSE" in component.texts[0]
        assert "GNU GENERAL PUBLIC LICENSE" in component.texts[1]


def test_what_is_within_another_stands_after_it(listed: tuple[Component, ...]) -> None:
    names = [c.name for c in listed]
    start = names.index("sqlcipher3")
    assert names[start : start + 4] == ["sqlcipher3", "OpenSSL", "SQLCipher", "SQLite"]
    assert [c.within for c in listed[start : start + 2]] == ["", "sqlcipher3"]


def test_a_search_finds_by_name_licence_and_owner(listed: tuple[Component, ...]) -> None:
    assert {c.name for c in licences.matching(listed, "lgpl qt")} == {"Qt"}
    assert "SQLite" in {c.name for c in licences.matching(listed, "SQLCIPHER3")}
    assert licences.matching(listed, "") == listed
    assert not licences.matching(listed, "no such part")


def test_a_frozen_program_lists_what_its_build_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = (Component(name="Kansli", version="9", licence="EUPL-1.2", texts=("text",)),)
    (tmp_path / licences.FILE).write_bytes(licences.encode(written))
    monkeypatch.setattr(licences, "path", lambda name: tmp_path / name)
    assert licences.load() == written


TEXT = st.text(max_size=20)
COMPONENTS = st.builds(
    Component, name=TEXT, version=TEXT, licence=TEXT, texts=st.lists(TEXT, max_size=3).map(tuple), within=TEXT
)


@given(st.lists(COMPONENTS, max_size=6).map(tuple))
@pytest.mark.slow
def test_the_file_gives_back_what_was_written(components: tuple[Component, ...]) -> None:
    assert licences.decode(licences.encode(components)) == components


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", licences.encode(licences.own()).replace(b'"texts": [', b'"texts": [9,')]
)
def test_a_damaged_file_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no list of licences"):
        licences.decode(data)


def test_a_licence_is_read_from_the_expression_the_field_or_the_classifier(tmp_path: Path) -> None:
    heads = {
        "a": ("License-Expression: MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        "b": ("License: BSD-3-Clause", "BSD-3-Clause"),
        "c": ("License: see the file\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        "word": ("License: Proprietary", "LicenseRef-unknown"),
        "words": ("License: MIT AND Mine\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        "old": ("License: UNKNOWN\nLicense-Expression: ISC", "ISC"),
        "d": ("License: all rights reserved, ask us", "LicenseRef-unknown"),
    }
    for name, (head, licence) in heads.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\n{head}\n", encoding="utf-8")
        assert licences.licence_of(metadata.PathDistribution(folder)) == licence
