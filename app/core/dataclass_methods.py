# SPDX-License-Identifier: EUPL-1.2
"""Makes dataclasses in a fifth of the time that Python takes. A quarter of the program's start went into 370 of them.

Up to Python 3.12, `dataclass` writes the source of each method and has it compiled: six methods a class, if it is
frozen. Only `__init__` runs faster for that. Here `__init__` is compiled when the first instance is made; a start makes
instances of one class in four. The other five methods are closures, which do the same
(tests/app/core/test_dataclass_methods.py compares them with Python's own). Later versions of Python compile all methods
of a class at once, and are left as they are.
"""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Protocol

_TAKES = {
    "_init_fn": (
        "fields",
        "std_fields",
        "kw_only_fields",
        "frozen",
        "has_post_init",
        "self_name",
        "globals",
        "slots",
    ),
    "_repr_fn": ("fields", "globals"),
    "_cmp_fn": ("name", "op", "self_tuple", "other_tuple", "globals"),
    "_hash_fn": ("fields", "globals"),
    "_frozen_get_del_attr": ("cls", "fields", "globals"),
}
"""The private functions of Python that are replaced, and their parameters."""

Method = Callable[..., object]


class _Named(Protocol):
    """A field of a dataclass. `init`: `__init__` takes it; MISSING if it has no default, or no factory of one."""

    @property
    def name(self) -> str: ...
    @property
    def init(self) -> bool: ...
    @property
    def default(self) -> object: ...
    @property
    def default_factory(self) -> object: ...


def install() -> None:
    """Replaces the functions by which `dataclass` makes `__init__`, `__repr__`, `__eq__`, `__hash__`, `__setattr__` and
    `__delattr__`, for all dataclasses that are made later. Does nothing in a Python that makes them in another way, and
    at a second call. Until the first instance of a class is made, `inspect.signature` does not know its fields."""
    if not is_known(vars(dataclasses), sys.version_info[:2]):
        return
    compiled: Callable[..., Method] = vars(dataclasses)["_cmp_fn"]
    compile_init: Callable[..., Method] = vars(dataclasses)["_init_fn"]

    def initialise(fields: object, std_fields: Sequence[_Named], *others: object) -> Method:
        check_order(std_fields)
        return make_init(partial(compile_init, fields, std_fields, *others))

    def compare(name: str, op: str, self_tuple: str, other_tuple: str, globals: object) -> Method:  # noqa: A002
        names = _names_in(self_tuple)
        if name != "__eq__" or names is None:
            return compiled(name, op, self_tuple, other_tuple, globals)
        return make_eq(names)

    vars(dataclasses).update(
        _init_fn=initialise,
        _repr_fn=lambda fields, _: make_repr(_names(fields)),
        _cmp_fn=compare,
        _hash_fn=lambda fields, _: make_hash(_names(fields)),
        _frozen_get_del_attr=lambda cls, fields, _: make_frozen(cls, _names(fields)),
    )


def is_known(namespace: dict[str, object], version: tuple[int, int]) -> bool:
    """Whether `dataclasses`, whose names are in `namespace`, makes methods in the way that `install` replaces."""
    return version < (3, 13) and all(_takes(namespace.get(name)) == takes for name, takes in _TAKES.items())


def _takes(function: object) -> tuple[str, ...] | None:
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else None


def _names(fields: Sequence[_Named]) -> list[str]:
    return [field.name for field in fields]


def _names_in(text: str) -> list[str] | None:
    """The names in the source "(self.a,self.b,)"; None for anything else."""
    parts = [part for part in text.strip("()").split(",") if part]
    return [part[5:] for part in parts] if all(part.startswith("self.") for part in parts) else None


def _tuple_of(names: Sequence[str]) -> Callable[[object], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _: ()
    get = attrgetter(names[0])
    return lambda one: (get(one),)


def _called(name: str, function: Method) -> Method:
    function.__name__ = name
    return function


def check_order(fields: Sequence[_Named]) -> None:
    """Raises TypeError if a field without a default follows one that has a default, as Python does when it makes the
    class."""
    has_default = False
    for field in fields:
        if not field.init:
            continue
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING:
            has_default = True
        elif has_default:
            raise TypeError(f"non-default argument {field.name!r} follows default argument")


def make_init(compiled: Callable[[], Method]) -> Method:
    """`__init__` of a dataclass: the first call replaces it in its class by the method that `compiled` returns, and
    calls that."""

    def first(*arguments: object, **named: object) -> None:  # a field may be called "self"
        method = compiled()
        method.__qualname__ = first.__qualname__
        for each in type(arguments[0]).__mro__:
            if vars(each).get("__init__") is first:
                type.__setattr__(each, "__init__", method)
        method(*arguments, **named)

    return _called("__init__", first)


def make_repr(names: Sequence[str]) -> Method:
    """`__repr__` of a dataclass that shows these fields."""

    def show(self: object) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({fields})"

    repeating: Callable[[Method], Method] = vars(dataclasses)["_recursive_repr"]
    return repeating(_called("__repr__", show))


def make_eq(names: Sequence[str]) -> Method:
    """`__eq__` of a dataclass that compares these fields."""
    fields = _tuple_of(names)

    def equal(self: object, other: object) -> object:
        if other.__class__ is self.__class__:
            return fields(self) == fields(other)
        return NotImplemented

    return _called("__eq__", equal)


def make_hash(names: Sequence[str]) -> Method:
    """`__hash__` of a dataclass that hashes these fields."""
    fields = _tuple_of(names)
    return _called("__hash__", lambda self: hash(fields(self)))


def make_frozen(cls: type, names: Sequence[str]) -> tuple[Method, Method]:
    """`__setattr__` and `__delattr__` of the frozen dataclass `cls` with these fields."""
    fields = frozenset(names)

    def assign(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)  # type: ignore[arg-type]  # mypy knows `super` within classes

    def delete(self: object, name: str) -> None:
        if type(self) is cls or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)  # type: ignore[arg-type]

    return _called("__setattr__", assign), _called("__delattr__", delete)
