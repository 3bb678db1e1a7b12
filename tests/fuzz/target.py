# SPDX-License-Identifier: EUPL-1.2
"""One thing that is fuzzed: how it is built, what it begins with, and the refusals that are its own."""

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutations import mutate

Run = Callable[[bytes], object]
Mutate = Callable[[Random, bytes, list[bytes], int], bytes]
BUILD = Path("build/fuzz")
"""Where inputs are kept on which a target failed."""
SECONDS, WAITING_S = 5, 60
"""What an input may take: processor time, and time of the clock, in which a child may do its part."""
MAX_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`make` builds the decoder (its modules are loaded only then, so that they can be instrumented)."""

    name: str
    make: Callable[[], Run]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[str, ...] = ("sync.errors.Reject",)
    share: int = 10
    """How many inputs it gets beside the others: ten, or three for what takes 0.3 ms or more. Of ten million that is
    385,000 and 115,000."""
    mutate: Mutate = mutate
    """How an input is changed, where bytes and encodings are not what matters."""
    most_bytes: int = MAX_BYTES

    def prepare(self) -> Run:
        """A function that lets nothing out but a fault."""
        run, refusals = self.make(), tuple(map(_named, self.refusals))

        def once(data: bytes) -> None:
            try:
                run(data)
            except refusals as e:
                coded(e)
            except Exception:
                raise
            except BaseException as e:  # pycrdt's panic is no Exception: atheris would take it for its own end
                raise AssertionError(repr(e)) from e

        return once


def coded(refusal: BaseException) -> None:
    """A refusal has a code, or it is a fault."""
    code = getattr(refusal, "code", None)
    if not isinstance(code, str) or not code:
        raise AssertionError("a refusal without a code") from refusal


def each(refused: type[BaseException], asks: Iterable[Callable[[], object]]) -> None:
    """Asks several readers about the same bytes: a refusal of one ends none of the others."""
    for ask in asks:
        try:
            ask()
        except refused as e:
            coded(e)


def _named(path: str) -> type[BaseException]:
    module, _, name = path.rpartition(".")
    found: type[BaseException] = getattr(importlib.import_module(module), name)
    return found
