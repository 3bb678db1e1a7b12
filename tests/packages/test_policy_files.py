# SPDX-License-Identifier: EUPL-1.2
"""What IT gets for policies is what the settings say, and has the form that Windows' policy editor reads."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import policy_files
import pytest

from app import policy
from app.settings import SETTINGS

ROOT = Path(__file__).parents[2]
NS = "{http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions}"
FIXABLE = {setting.value_name: setting for setting in SETTINGS if setting.fixable}
CULTURES = ("sv-SE", "en-US")


@pytest.fixture(scope="module")
def admx() -> ET.Element:
    return ET.parse(ROOT / "packaging/policies/kansli.admx").getroot()  # noqa: S314 - our own file


@pytest.fixture(params=CULTURES)
def adml(request: pytest.FixtureRequest) -> ET.Element:
    return ET.parse(ROOT / f"packaging/policies/{request.param}/kansli.adml").getroot()  # noqa: S314 - our own file


def policies(admx: ET.Element) -> dict[str, ET.Element]:
    return {p.attrib["name"]: p for p in admx.iter(f"{NS}policy")}


def referred(admx: ET.Element, kind: str) -> set[str]:
    """The names in every $(kind.name)."""
    pattern = re.compile(rf"\$\({kind}\.(\w+)\)")
    return {name for element in admx.iter() for value in element.attrib.values() for name in pattern.findall(value)}


def test_the_files_in_git_are_what_the_settings_give() -> None:
    stale = [
        str(path.relative_to(ROOT)) for path, text in policy_files.files().items() if path.read_text("utf-8") != text
    ]
    assert not stale, f"make policies, please: {', '.join(stale)}"


def test_each_setting_that_may_be_fixed_is_a_policy(admx: ET.Element) -> None:
    assert set(policies(admx)) == set(FIXABLE)


def test_the_parts_stand_in_the_order_that_the_schema_has(admx: ET.Element) -> None:
    assert admx.tag == f"{NS}policyDefinitions"
    assert re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,5}", admx.attrib["revision"])
    order = ["policyNamespaces", "resources", "supportedOn", "categories", "policies"]
    assert [child.tag.removeprefix(NS) for child in admx] == order
    for name, p in policies(admx).items():
        parts = [child.tag.removeprefix(NS) for child in p]
        kind = type(FIXABLE[name].default)
        rest = ["enabledValue", "disabledValue"] if kind is bool else ["elements"]
        assert parts == ["parentCategory", "supportedOn", *rest], name
        assert p.attrib["class"] == "Both"
        assert p.attrib["key"] == policy.POLICY_KEY
        assert {"displayName", "explainText", "presentation"} <= set(p.attrib)


def test_names_are_such_as_the_schema_takes(admx: ET.Element, adml: ET.Element) -> None:
    names = [element.attrib["name"] for element in admx.iter() if "name" in element.attrib]
    names += [element.attrib["id"] for element in adml.iter() if "id" in element.attrib]
    assert all(re.fullmatch(r"\w+", name) for name in names)


def test_categories_and_versions_that_are_referred_to_are_there(admx: ET.Element) -> None:
    categories = {c.attrib["name"] for c in admx.iter(f"{NS}category")}
    versions = {d.attrib["name"] for d in admx.iter(f"{NS}definition")}
    assert {p.attrib["ref"] for p in admx.iter(f"{NS}parentCategory")} == categories
    assert {s.attrib["ref"] for s in admx.iter(f"{NS}supportedOn") if "ref" in s.attrib} == versions


def test_each_text_is_there_in_both_languages_and_none_is_left_over(admx: ET.Element, adml: ET.Element) -> None:
    strings = [s.attrib["id"] for s in adml.iter(f"{NS}string")]
    assert len(set(strings)) == len(strings)
    assert set(strings) == referred(admx, "string")
    assert all((s.text or "").strip() for s in adml.iter(f"{NS}string"))


def test_each_value_is_entered_by_a_control_of_its_kind(admx: ET.Element, adml: ET.Element) -> None:
    shown = {p.attrib["id"]: p for p in adml.iter(f"{NS}presentation")}
    assert set(shown) == referred(admx, "presentation")
    fitting = {"enum": "dropdownList", "decimal": "decimalTextBox", "text": "textBox", "multiText": "multiTextBox"}
    for name, p in policies(admx).items():
        elements = p.find(f"{NS}elements")
        if elements is None:
            assert [child.tag for child in shown[name]] == [f"{NS}text"]
            assert p.attrib["valueName"] == name
            continue
        (element,), (control,) = elements, shown[name]
        assert control.tag == NS + fitting[element.tag.removeprefix(NS)]
        assert control.attrib["refId"] == element.attrib["id"]
        assert element.attrib["valueName"] == name


def test_the_texts_differ_between_the_languages() -> None:
    roots = [ET.parse(ROOT / f"packaging/policies/{c}/kansli.adml").getroot() for c in CULTURES]  # noqa: S314 - ours
    swedish, english = ({s.attrib["id"]: s.text for s in root.iter(f"{NS}string")} for root in roots)
    same = {name for name, text in swedish.items() if text == english[name]}
    sizes = {name for name in same if name.startswith(("TextSize_", "ReceivedFilesMb_"))}  # 125 %, 5 GB
    hours = {key for key in same if key.startswith(("WorkingFrom_", "WorkingTo_"))}
    assert same - sizes - hours == {"Kansli", "ProxyMode", "LogLevel_info"}  # Kansli, Proxy, Normal


class Chosen:
    """A registry in which the policy editor has written one choice."""

    def __init__(self, name: str, value: object) -> None:
        self._name, self._value = name, value

    def values(self, hive: str, path: str) -> dict[str, object]:
        return {self._name: self._value} if (hive, path) == ("HKLM", policy.POLICY_KEY) else {}


def offered(p: ET.Element) -> list[object]:
    """What the editor can write for a policy: every choice, both ends of a number, an example of a text."""
    if "valueName" in p.attrib:
        return [int(v.attrib["value"]) for v in p.iter(f"{NS}decimal")]
    elements = p.find(f"{NS}elements")
    assert elements is not None
    (element,) = elements
    match element.tag.removeprefix(NS):
        case "enum":
            values = [value[0] for value in element.iter(f"{NS}value")]
            return [v.text if v.tag == f"{NS}string" else int(v.attrib["value"]) for v in values]
        case "decimal":
            return [int(element.attrib["minValue"]), int(element.attrib["maxValue"])]
        case "multiText":
            return [["a.example", "b.example:8443"], []]
        case _:
            return ["/srv/kansli" if p.attrib["name"] in ("DataRoot", "CardModule") else "proxy.example:8080"]


@pytest.mark.parametrize("name", sorted(FIXABLE))
def test_whatever_the_policy_editor_writes_the_program_takes(admx: ET.Element, name: str) -> None:
    values = offered(policies(admx)[name])
    assert len(values) >= (2 if FIXABLE[name].choices or isinstance(FIXABLE[name].default, bool) else 1)
    for value in values:
        read = policy.from_registry(Chosen(name, value))
        assert set(read.fixed) == {FIXABLE[name].key}, value
        assert all(entry.accepted for entry in read.found)


def test_the_sample_for_linux_has_every_key_and_is_taken_whole(tmp_path: Path) -> None:
    text = (ROOT / "packaging/linux/policies-sample.json").read_text(encoding="utf-8")
    assert set(json.loads(text)) == {setting.key for setting in FIXABLE.values()}
    (tmp_path / "10.json").write_text(text, encoding="utf-8")
    read = policy.from_files(tmp_path, tmp_path / "none")
    assert all(entry.accepted for entry in read.found)
    assert len(read.fixed) == len(FIXABLE)


def test_the_page_says_something_of_each_policy_that_needs_it() -> None:
    page = (ROOT / "docs/POLICIES.md").read_text(encoding="utf-8")
    assert all(f"| `{s.key}` | `{s.value_name}` " in page for s in FIXABLE.values())
