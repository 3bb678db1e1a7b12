# SPDX-License-Identifier: EUPL-1.2
"""`python packaging/builder/policy_files.py`: what IT needs for policies, made from app/settings.py (`make policies`).

Templates for Windows' group policy (packaging/policies/), a sample for Linux (packaging/linux/policies-sample.json) and
the table in docs/POLICIES.md. All of it is in git; a test says when it is not what this makes. The templates' form:
Group Policy ADMX Syntax Reference Guide, Microsoft; version 1.0 of its schema, with multiText.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the application's settings, from a builder that is run as a folder

from app.core.i18n import catalogue  # noqa: E402 - needs the path
from app.policy import POLICY_KEY  # noqa: E402
from app.setting import AnySetting, Value  # noqa: E402
from app.settings import SETTINGS  # noqa: E402

NAMESPACE = "http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions"
REVISION = "1.0"
LANGUAGES = {"sv-SE": "sv", "en-US": "en"}
CATEGORY = "Kansli"
SUPPORTED = "SUPPORTED_Kansli"
TABLE_BEGIN, TABLE_END = "<!-- made by make policies: begin -->\n", "<!-- made by make policies: end -->\n"
MAX_TEXT = 4096

EXAMPLES: dict[str, Value] = {
    "servers": "kansli.myndighet.example, reserv.myndighet.example:8443",
    "egress": "kansli.myndighet.example:443, *.intern.myndighet.example",
    "proxy-mode": "manual",
    "proxy-address": "proxy.myndighet.example:8080",
    "ca-file": "/etc/ssl/certs/myndighet.pem",
    "data-root": "~/.local/share/Kansli",
    "offline-days": 30,
    "card-module": "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
}
"""For the sample, where the default would say nothing."""

FIXABLE = tuple(setting for setting in SETTINGS if setting.fixable)
Translate = Callable[[str], str]


def main() -> int:
    """Writes every file."""
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


def files() -> dict[Path, str]:
    """Every file and what is to be in it."""
    page = ROOT / "docs/POLICIES.md"
    made = {
        ROOT / "packaging/policies/kansli.admx": _xml(admx()),
        ROOT / "packaging/linux/policies-sample.json": sample(),
        page: with_table(page.read_text(encoding="utf-8")),
    }
    for culture, language in LANGUAGES.items():
        made[ROOT / f"packaging/policies/{culture}/kansli.adml"] = _xml(adml(language))
    return made


# -- group policy -----------------------------------------------------------------------------------------------------


def admx() -> ET.Element:
    """Which policies there are, and what each writes to the registry."""
    root = _root("policyDefinitions")
    namespaces = _add(root, "policyNamespaces")
    _add(namespaces, "target", prefix="kansli", namespace="Kansli.Policies")
    _add(root, "resources", minRequiredRevision=REVISION)
    definitions = _add(_add(root, "supportedOn"), "definitions")
    _add(definitions, "definition", name=SUPPORTED, displayName=f"$(string.{SUPPORTED})")
    _add(_add(root, "categories"), "category", name=CATEGORY, displayName=f"$(string.{CATEGORY})")
    policies = _add(root, "policies")
    for setting in FIXABLE:
        _policy(policies, setting)
    return root


def _policy(policies: ET.Element, setting: AnySetting) -> None:
    name = setting.value_name
    policy = _add(
        policies,
        "policy",
        name=name,
        **{"class": "Both"},
        displayName=f"$(string.{name})",
        explainText=f"$(string.{name}_About)",
        key=POLICY_KEY,
        presentation=f"$(presentation.{name})",
    )
    _add(policy, "parentCategory", ref=CATEGORY)
    _add(policy, "supportedOn", ref=SUPPORTED)
    if isinstance(setting.default, bool):
        policy.set("valueName", name)
        _add(_add(policy, "enabledValue"), "decimal", value="1")
        _add(_add(policy, "disabledValue"), "decimal", value="0")
        return
    _element(_add(policy, "elements"), setting)


def _element(elements: ET.Element, setting: AnySetting) -> None:
    """The part that a value is entered in. What is required cannot be left empty by mistake."""
    name = setting.value_name
    common = {"id": name, "valueName": name, "required": "true"}
    if setting.choices:
        box = _add(elements, "enum", **common)
        for value, _ in setting.choices:
            item = _add(_add(box, "item", displayName=f"$(string.{_choice_id(setting, value)})"), "value")
            if isinstance(value, str):
                _add(item, "string").text = value
            else:
                _add(item, "decimal", value=str(value))
    elif isinstance(setting.default, int):
        _add(elements, "decimal", **common, minValue=str(setting.low or 0), maxValue=str(setting.high or 9999))
    elif setting.several:
        _add(elements, "multiText", **common, maxLength=str(MAX_TEXT))
    else:
        _add(elements, "text", **common, maxLength=str(MAX_TEXT))


def adml(language: str) -> ET.Element:
    """The texts of one language, which are the program's own, and how values are entered."""
    tr = _translator(language)
    root = _root("policyDefinitionResources")
    _add(root, "displayName").text = "Kansli"
    _add(root, "description").text = tr("Kansli: an end-to-end encrypted office for public authorities.")
    resources = _add(root, "resources")
    strings, presentations = _add(resources, "stringTable"), _add(resources, "presentationTable")
    texts = {CATEGORY: "Kansli", SUPPORTED: tr("Kansli 0.1 or newer")}
    for setting in FIXABLE:
        texts[setting.value_name] = tr(setting.label)
        texts[f"{setting.value_name}_About"] = about(setting, tr)
        texts |= {_choice_id(setting, value): tr(text) for value, text in setting.choices}
        _presentation(presentations, setting, tr)
    for name, text in texts.items():
        _add(strings, "string", id=name).text = text
    return root


def about(setting: AnySetting, tr: Translate) -> str:
    """What the policy editor says of it: the sentence, the default, and that a person may decide if it is left."""
    said = [tr(setting.about), tr("Default: {value}.").format(value=_said(setting, tr) or tr("empty"))]
    if setting.several:
        said.append(tr("One on each line."))
    if setting.seen:
        said.append(tr("Not configured: each person chooses under Settings."))
    return "\n\n".join(said)


def _presentation(table: ET.Element, setting: AnySetting, tr: Translate) -> None:
    name, caption = setting.value_name, f"{tr(setting.label)}:"
    made = _add(table, "presentation", id=name)
    if isinstance(setting.default, bool):
        _add(made, "text").text = tr("Enabled: on. Disabled: off.")
    elif setting.choices:
        at = [value for value, _ in setting.choices].index(setting.default)
        _add(made, "dropdownList", refId=name, noSort="true", defaultItem=str(at)).text = caption
    elif isinstance(setting.default, int):
        _add(made, "decimalTextBox", refId=name, defaultValue=str(setting.default)).text = caption
    elif setting.several:
        _add(made, "multiTextBox", refId=name).text = caption
    else:
        _add(_add(made, "textBox", refId=name), "label").text = caption


def _choice_id(setting: AnySetting, value: Value) -> str:
    return f"{setting.value_name}_{value}".replace("-", "_")


def _translator(language: str) -> Translate:
    texts = catalogue(language)
    if language == "en":
        return str
    return lambda text: texts[text][0]  # a text without a translation is an error here


def _root(tag: str) -> ET.Element:
    return ET.Element(tag, {"xmlns": NAMESPACE, "revision": REVISION, "schemaVersion": "1.0"})


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _xml(root: ET.Element) -> str:
    ET.indent(root)
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n<!-- SPDX-License-Identifier: EUPL-1.2. Made by make policies. -->\n'
    )
    return head + ET.tostring(root, encoding="unicode") + "\n"


# -- Linux and the page -----------------------------------------------------------------------------------------------


def sample() -> str:
    """Every key in one file, to take from; docs/POLICIES.md says what each does."""
    values = {setting.key: EXAMPLES.get(setting.key, setting.default) for setting in FIXABLE}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def with_table(page: str) -> str:
    """The page with the table as it is to be between its marks."""
    before, _, rest = page.partition(TABLE_BEGIN)
    _, _, after = rest.partition(TABLE_END)
    return before + TABLE_BEGIN + table() + TABLE_END + after


def table() -> str:
    """A row for each policy."""
    rows = ["| key | registry | takes | default | what it does |", "|---|---|---|---|---|"]
    for setting in FIXABLE:
        kind = "REG_SZ" if isinstance(setting.default, str) else "REG_DWORD"
        kind = "REG_MULTI_SZ" if setting.several else kind
        default = json.dumps(setting.default)
        rows.append(
            f"| `{setting.key}` | `{setting.value_name}` {kind} | {_takes(setting)} | `{default}` | {setting.about} |"
        )
    return "\n".join(rows) + "\n"


def _takes(setting: AnySetting) -> str:
    if setting.choices:
        return ", ".join(f"`{json.dumps(value)}` {text}" for value, text in setting.choices)
    if isinstance(setting.default, bool):
        return "`true` / `false`; 1 / 0"
    if isinstance(setting.default, int):
        return f"{setting.low}–{setting.high}"
    return "a list; in JSON also a text with commas" if setting.several else "text"


def _said(setting: AnySetting, tr: Translate) -> str:
    """The default, in words."""
    if isinstance(setting.default, bool):
        return tr("On") if setting.default else tr("Off")
    return next((tr(text) for value, text in setting.choices if value == setting.default), str(setting.default))


if __name__ == "__main__":
    raise SystemExit(main())
