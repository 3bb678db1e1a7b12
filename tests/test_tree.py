# SPDX-License-Identifier: EUPL-1.2
"""The tree keeps its habits: every tool has its twin, every file its head, and nothing generated is in git."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("app", "ui", "sync", "resources", "tests", "packaging")
SPDX = "# SPDX-License-Identifier: EUPL-1.2"
# app/ folders that are no tools: they lie under the tools and have no window of their own.
SHARED = {
    "core",
    "store",
    "objects",
    "rooms",
    "people",
    "personal",
    "own",
    "presence",
    "devices",
    "arrival",
    "worker",
    "richtext",
    "notices",
    "reminders",
    "viewing",
    "copies",
    "card",
}
NO_TOOLS_IN_UI = {"errors", "kit", "shell", "desktop", "richtext", "viewer"}


def python_files(*parts: str) -> list[Path]:
    return [path for part in parts for path in sorted((ROOT / part).rglob("*.py"))]


def folders(part: str) -> set[str]:
    return {path.parent.name for path in (ROOT / part).glob("*/__init__.py")}


def tools() -> set[str]:
    return folders("app") - SHARED


def git_files() -> list[str]:
    answer = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip("not a git checkout")
    return answer.stdout.splitlines()


def test_every_tool_has_its_twin() -> None:
    views = folders("ui") - NO_TOOLS_IN_UI
    missing = [f"app/{name} has no twin ui/{name}" for name in sorted(tools() - views)]
    missing += [f"ui/{name} has no twin app/{name}" for name in sorted(views - tools())]
    assert not missing, "; ".join(missing)


def test_every_tool_is_in_the_two_lists() -> None:
    kinds = (ROOT / "app/kinds.py").read_text(encoding="utf-8")
    listed = (ROOT / "ui/tools.py").read_text(encoding="utf-8")
    missing = [
        f"app/kinds.py does not list app/{name}/tool.py" for name in sorted(tools()) if f"app.{name}.tool" not in kinds
    ]
    missing += [f"ui/tools.py does not list ui/{name}" for name in sorted(tools()) if f"ui.{name}" not in listed]
    assert not missing, "; ".join(missing)


OWN = {
    # whom a quotation in a successor quotes, the months of a conversation, and what happened between its messages
    "app/chat": {
        "app.store.origins",
        "app.store.room_lines",
        "app.store.series",
        "sync.errors",
        "sync.ids",
        "sync.trust.room.successor_claim",
    },
    "app/documents": {"app.worker"},  # conversions, each in a process of its own
}
"""Imports of a single tool, beside those of the recipe for a new one."""


def allowed(part: str) -> set[str]:
    """The modules that the recipe lets a tool's half import."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(rf"^- The half in `{part}/` imports: (.*)$", text, re.MULTILINE)
    assert found is not None
    return {name for name in re.findall(r"`([a-z_.]+)`", found[1]) if "." in name}


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{each.name}" for node in nodes if node.module for each in node.names}
    return {name for name in names if name.split(".")[0] in CODE}


@pytest.mark.parametrize("part", ["app", "ui"])
def test_a_tool_imports_only_what_the_recipe_for_a_new_one_names(part: str) -> None:
    wrong: list[str] = []
    for tool in sorted(tools()):
        own = {f"app.{tool}", f"{part}.{tool}", *OWN.get(f"{part}/{tool}", ())}
        may = tuple(f"{name}." for name in allowed(part) | own)
        for path in python_files(f"{part}/{tool}"):
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name in imports(path) if not f"{name}.".startswith(may)]
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("part", ["app", "ui"])
def test_every_tool_has_tests(part: str) -> None:
    missing = [name for name in sorted(tools()) if not list((ROOT / "tests" / part / name).glob("test_*.py"))]
    assert not missing, f"no tests in {', '.join(f'tests/{part}/{name}' for name in missing)}"


@pytest.mark.slow
def test_every_python_file_begins_with_its_licence_and_says_what_it_is() -> None:
    wrong: list[str] = []
    for path in python_files(*CODE):
        text = path.read_text(encoding="utf-8")
        if text and not (text.startswith(SPDX) and ast.get_docstring(ast.parse(text))):
            wrong.append(str(path.relative_to(ROOT)))
    assert not wrong, f"no SPDX line or no module docstring: {', '.join(wrong)}"


def test_words_that_say_nothing_name_no_file() -> None:
    empty = {"manager", "handler", "helper", "helpers", "util", "utils", "controller", "processor", "info", "data"}
    wrong = [str(path.relative_to(ROOT)) for path in python_files(*CODE) if set(path.stem.split("_")) & empty]
    assert not wrong, f"a noun that says what is in it, please: {', '.join(wrong)}"


def test_tests_are_no_package_and_shadow_nothing() -> None:
    """A folder without __init__.py gives way to a package of the same name, wherever in the path that is. The halves of
    the sample tool are packages, as a tool's are."""
    halves = [ROOT / "tests/sample_tool" / half / "__init__.py" for half in ("app", "ui")]
    found = [path for part in ("tests", "packaging") for path in (ROOT / part).rglob("__init__.py")]
    wrong = [path for path in found if path not in halves]
    assert not wrong, f"would shadow a package: {', '.join(str(path.relative_to(ROOT)) for path in wrong)}"


def test_nothing_generated_and_no_secret_is_in_git() -> None:
    odd = re.compile(r"\.(mo|qm|pyc|db|sqlite|pem|key)$|(^|/)(build|\.venv)(/|$)")
    wrong = [name for name in git_files() if odd.search(name) and not name.startswith("tests/vectors/")]
    assert not wrong, ", ".join(wrong)


def test_each_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    silent = [name for name in wanted if not re.search(rf'"{re.escape(name)}",\s*# \S', text)]
    assert not silent, f"no comment beside {', '.join(silent)}"
    assert all(re.search(r"<|==", name) for name in wanted), "every dependency has an upper bound"


def test_set_up_installs_every_program_that_a_test_is_skipped_without() -> None:
    setup = (ROOT / "packaging/linux/setup.sh").read_text(encoding="utf-8")
    listed = re.findall(r"^([\w-]+) +[\w-]+$", setup.partition('PROGRAMS="')[2].partition('"')[0], re.MULTILINE)
    wanted = {
        name
        for path in python_files("tests")
        for name in re.findall(r'shutil\.which\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert wanted
    assert not wanted - set(listed), f"not in setup.sh: {', '.join(sorted(wanted - set(listed)))}"


def test_no_control_is_promised_and_nothing_is_left_to_do() -> None:
    promise = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|coming soon", re.IGNORECASE)
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("app", "ui", "sync", "resources")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if promise.search(line)
    ]
    assert not wrong, ", ".join(wrong)


def test_no_dialog_blocks_the_loop() -> None:
    """`exec()` and its disguises starve every other task under qasync."""
    blocking = re.compile(
        r"\.exec\(|QMessageBox\.(question|warning|information|critical)\(|getOpenFileName|getSaveFile"
    )
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("ui")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if blocking.search(line)
    ]
    assert not wrong, ", ".join(wrong)
