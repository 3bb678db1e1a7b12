# SPDX-License-Identifier: EUPL-1.2
"""Dataclasses whose methods are closures are as those that Python makes: each shape is made once by an untouched Python
and once by one in which they are replaced, and both say the same."""

import dataclasses
import subprocess
import sys

import pytest

from app.core import dataclass_methods

SHAPES = """
import dataclasses, pickle, sys
from dataclasses import dataclass, field

REPLACED = "replace" in sys.argv
if REPLACED:
    from app.core import dataclass_methods
    dataclass_methods.install()

@dataclass
class Plain:
    a: int
    b: str = "å"

@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    a: int
    b: tuple[int, ...] = ()
    c: object = field(default=None, compare=False)
    d: str = field(default="ö 🙂", repr=False)

@dataclass(frozen=True)
class One:
    a: float

@dataclass(frozen=True, slots=True)
class Nothing:
    pass

@dataclass(frozen=True)
class Below(One):
    b: int = 0

class Open(One):
    extra: int

@dataclass(order=True)
class Ordered:
    a: int
    b: int

@dataclass
class Holding:
    inside: object = None

@dataclass(frozen=True)
class OwnHash:
    a: int
    def __hash__(self):
        return 7
    def __repr__(self):
        return "own"

@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    a: int
    b: list[int] = field(default_factory=list)
    double: int = field(init=False, default=0)

    def __post_init__(self):
        object.__setattr__(self, "double", 2 * self.a)

@dataclass(kw_only=True)
class Oneself:
    self: int
    named: int = 0
    arguments: int = 0

@dataclass
class Parent:
    a: int

class Hand(Parent):
    def __init__(self, a):
        super().__init__(a + 1)
        self.b = a

@dataclass
class Child(Parent):
    b: int = 5

def outcome(act):
    try:
        return repr(act())
    except Exception as e:
        return f"{type(e).__name__}: {e}"

def wrong_order():
    @dataclass
    class Wrong:
        a: int = 1
        b: int
    return Wrong

print(outcome(wrong_order))
for act in (
    lambda: Checked(a=1), lambda: Checked(a=2, b=[1]), lambda: Checked(1), lambda: Checked(c=1), lambda: Checked(),
    lambda: Hand(1), lambda: Hand(1).b, lambda: Child(1), lambda: Child(1, 2), lambda: Parent(3), lambda: Parent(),
    lambda: Oneself(self=1, named=2, arguments=3), lambda: Oneself(self=4),
):
    print(outcome(act))
print(Checked(a=1).b is not Checked(a=1).b, Checked.__init__.__qualname__, Hand.__init__.__qualname__)
nan = float("nan")
ring = Holding(); ring.inside = ring
opened = Open(1.0); opened.extra = 3
made = [
    Plain(1), Plain(1, "b"), Frozen(a=1), Frozen(a=1, c=2), Frozen(a=2, b=(1, 2)), Frozen(a=1, d="x"), One(nan),
    One(nan), One(1.5), One(float("nan")), Nothing(), Nothing(), Below(1.5), Below(1.5, 1), opened, Ordered(1, 2),
    Ordered(1, 3), Holding([1]), Holding([1]), OwnHash(1), OwnHash(2),
]
for one in [*made, ring]:
    print(outcome(lambda: one), outcome(lambda: hash(one) if "nan" not in repr(one) else "by id"))
for one in made:
    print(*(outcome(lambda: one == other) for other in [*made, 1, None]))
    print(*(outcome(lambda: one < other) for other in made))
for one in made:
    print(outcome(lambda: setattr(one, "a", 5)), outcome(lambda: delattr(one, "a")), outcome(lambda: one))
    print(outcome(lambda: setattr(one, "new", 5)), outcome(lambda: delattr(one, "new")))
    print(outcome(lambda: dataclasses.replace(one)), outcome(lambda: dataclasses.asdict(one)))
    print(*(m for m in ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__") if m in type(one).__dict__))
    print(*(getattr(type(one), m).__name__ for m in ("__eq__", "__repr__", "__setattr__", "__delattr__")))
is_closure = Frozen.__eq__.__closure__ is not None
assert is_closure == (REPLACED and sys.version_info < (3, 13)), is_closure
"""


def output_of(*arguments: str) -> list[str]:
    command = [sys.executable, "-c", SHAPES, *arguments]
    environment = {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_dataclass_is_as_python_makes_it() -> None:
    ours, pythons = output_of("replace"), output_of()
    assert len(pythons) > 100
    assert ours == pythons


def test_a_python_that_makes_methods_in_another_way_is_left_as_it_is() -> None:
    def init(
        fields: object,
        std_fields: object,
        kw_only_fields: object,
        frozen: object,
        has_post_init: object,
        self_name: object,
        globals: object,  # noqa: A002
        slots: object,
    ) -> None: ...

    known = {
        "_init_fn": init,
        "_repr_fn": lambda fields, globals: None,  # noqa: A006
        "_cmp_fn": lambda name, op, self_tuple, other_tuple, globals: None,  # noqa: A006
        "_hash_fn": lambda fields, globals: None,  # noqa: A006
        "_frozen_get_del_attr": lambda cls, fields, globals: None,  # noqa: A006
    }
    assert dataclass_methods.is_known({**known}, (3, 11))
    assert not dataclass_methods.is_known({**known}, (3, 13))
    assert not dataclass_methods.is_known({**known, "_hash_fn": lambda cls, fields, globals: None}, (3, 11))  # noqa: A006
    assert not dataclass_methods.is_known({}, (3, 12))


def test_a_second_call_changes_nothing() -> None:
    dataclass_methods.install()
    before = {name: vars(dataclasses).get(name) for name in ("_init_fn", "_repr_fn", "_cmp_fn", "_hash_fn")}
    dataclass_methods.install()
    assert {name: vars(dataclasses).get(name) for name in before} == before
