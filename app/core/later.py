# SPDX-License-Identifier: EUPL-1.2
"""Modules that are imported at their first use, because a start must not wait for them. Those that a person is likely
to need are imported before that, when the program is idle, one module at a time.

A view imports twenty modules of ours, which together take several times as long as a turn of the event loop may. So
each is imported by itself, after those that it imports. Which these are is read from its compiled code, which a frozen
program has too. This only orders the imports: if one is overlooked, two modules are imported in one step.
"""

import dis
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Protocol, runtime_checkable

_OURS = {"app", "sync", "ui"}
_DEFINES = {"LOAD_BUILD_CLASS", "MAKE_FUNCTION"}
"""The instructions of the first class or function, before which a module has its imports."""

_when_idle: dict[str, None] = {}


class Later(ModuleType):
    """A placeholder for a module, which imports it at the first use of one of its names, so that a start need not wait
    for it. Beside it, under TYPE_CHECKING, is the import that mypy and PyInstaller see."""

    def __init__(self, name: str, *, when_idle: bool = False) -> None:
        """`when_idle`: the module is imported when the program is idle after its start, so that its first use does not
        wait for it either. Otherwise only the first use imports it: for what few people need and what takes much
        memory. A frozen program imports all when it is idle: after an upgrade, a running old program would import a
        module of the new one."""
        super().__init__(name)
        if when_idle or getattr(sys, "frozen", False):
            _when_idle[name] = None

    def __getattr__(self, name: str) -> object:
        found: object = getattr(import_module(self.__name__), name)
        setattr(self, name, found)
        return found


def waiting() -> list[str]:
    """The names of the modules that are to be imported when the program is idle, and are not imported yet."""
    return [name for name in _when_idle if name not in sys.modules]


def import_in_steps() -> Iterator[str]:
    """Imports the modules of `waiting` on the caller's thread, one in each step, and yields the full name of each after
    its import. If a module imports others of ours, these come before it, each in a step of its own. Otherwise one step
    could import all of them. A module that is imported already has no step. If a `Later` is made meanwhile, its module
    is imported at the end. If an import fails, the module is skipped without an error and not tried again here; its
    first use tries again, and raises the error."""
    tried: set[str] = set()
    while names := [name for name in waiting() if name not in tried]:
        for name in names:
            yield from _steps_of(name, tried)


def _steps_of(name: str, tried: set[str]) -> Iterator[str]:
    """Imports the modules that the module `name` imports, then `name` itself, and yields the name of each. Leaves out
    those in `tried`, and adds the others to it."""
    if name in sys.modules or name in tried:
        return
    tried.add(name)
    try:
        spec = find_spec(name)
        for other in _imported_by(spec) if spec is not None else ():
            yield from _steps_of(other, tried)
        import_module(name)
    except Exception:  # also damaged bytes, and whatever the module itself raises
        return
    yield name


@runtime_checkable
class _Reading(Protocol):
    """A loader that can return the compiled code of a module: those of Python and of a frozen program can."""

    def get_code(self, fullname: str, /) -> CodeType | None: ...


def _imported_by(spec: ModuleSpec) -> Iterator[str]:
    """The modules of ours that a module of ours imports at its head, outside any `if`. The caller must have imported
    each of them before it asks for the next."""
    if not isinstance(spec.loader, _Reading) or not _is_ours(spec.name):
        return
    code = spec.loader.get_code(spec.name)
    statements = _statements(code) if code is not None else iter(())
    for name, parts in statements:
        if not _is_ours(name):
            continue
        yield name
        if hasattr(sys.modules.get(name), "__path__"):  # a package: its parts may be modules
            yield from (each for part in parts if find_spec(each := f"{name}.{part}") is not None)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS


def _statements(code: CodeType) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The import statements of a module before its first class or function, except those within an `if`: the module's
    name, and the names after `from … import`."""
    jumped_to, constant = 0, None
    for each in dis.get_instructions(code):
        if each.opname in _DEFINES:
            return
        if each.opname == "IMPORT_NAME" and each.offset >= jumped_to:
            yield each.argval, constant if isinstance(constant, tuple) else ()
        elif each.opname == "LOAD_CONST":
            constant = each.argval
        elif each.opcode in dis.hasjrel or each.opcode in dis.hasjabs:
            jumped_to = max(jumped_to, each.argval)
