# SPDX-License-Identifier: EUPL-1.2
"""Roles, room types and the link's states are compared as members of their enums (app/core/enums.py), never as numbers
or texts; and the shell's widgets take what app/ has by its own types."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.enums import LinkState, Role, RoomType

ROOT = Path(__file__).parents[1]
TEXTS = {*map(str, RoomType), *map(str, LinkState)}


def compared(text: str) -> Iterator[str]:
    """Every comparison of a code text with a text that an enum has, or of a role with a number; as `line: what`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            constants = [c.value for side in sides for c in ast.walk(side) if isinstance(c, ast.Constant)]
            role = any(_is_role(part) for side in sides for part in ast.walk(side))
            if any(c in TEXTS for c in constants) or (role and any(type(c) is int and c > 0 for c in constants)):
                yield f"{node.lineno}: {ast.unparse(node)}"


def _is_role(part: ast.AST) -> bool:
    match part:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Call(func=ast.Attribute(attr=name)):
            return name == "role" or name.endswith("_role")
        case _:
            return False


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


def test_no_role_room_type_or_link_state_is_compared_as_a_number_or_a_text() -> None:
    found = [f"{path.relative_to(ROOT)}:{each}" for path in sources("app", "ui") for each in compared(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "room.type == 'direct'",
        "status.state in ('offline', 'error')",
        "member.role >= 3",
        "rooms.my_role(room) > 2",
        "my_role == 4",
        "(rooms.my_role(room) or 0) >= 2",
    ],
)
def test_such_a_comparison_is_found(text: str) -> None:
    assert list(compared(text))


@pytest.mark.parametrize("text", ["room.type is RoomType.DIRECT", "(rooms.my_role(room) or 0) >= Role.ADMIN"])
def test_a_comparison_with_an_enum_is_not(text: str) -> None:
    assert not list(compared(text))


def test_there_is_one_table_of_role_numbers() -> None:
    names = {role.name for role in Role}
    tables = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("app", "ui", "sync")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign | ast.ClassDef) and names & _assigned(node)
    ]
    assert [table.partition(":")[0] for table in tables] == ["sync/trust/formats/items.py"]


def _assigned(node: ast.Assign | ast.ClassDef) -> set[str]:
    """The names that an assignment of numbers, or a class's body of such, sets."""
    assigns = [node] if isinstance(node, ast.Assign) else [n for n in node.body if isinstance(n, ast.Assign)]
    if isinstance(node, ast.Assign):
        assigns = [a for a in assigns if a.col_offset == 0]
    numbers = [a for a in assigns if any(isinstance(c, ast.Constant) and type(c.value) is int for c in ast.walk(a))]
    return {n.id for a in numbers for target in a.targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def test_no_part_of_the_shell_is_given_anything() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources("ui/shell")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.returns, ast.Name)
        and node.returns.id == "Any"
    ]
    assert found == []
