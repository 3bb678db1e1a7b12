# SPDX-License-Identifier: EUPL-1.2
"""The state machines of tests/sync/byzantine at length: no decoders, so that they are run by pytest, not by atheris."""

from dataclasses import dataclass

from tests.sync.byzantine.budget import FIXED

INPUTS_A_LIFE = 2000
"""A life of thirty to sixty steps takes about half a second, as long as so many inputs of a decoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`test`: the file that has it."""

    name: str
    test: str

    def command(self, seed: int) -> list[str]:
        """What pytest is told."""
        quiet = ["-q", "-p", "no:cacheprovider", "--show-capture=no"]
        return [self.test, *quiet, f"--hypothesis-seed={seed}"]


def lives(inputs: int) -> int:
    """So many are lived beside so many inputs; 0 if `make test` lives more."""
    found = inputs // INPUTS_A_LIFE
    return found if found > FIXED else 0


MACHINES = {
    machine.name: machine
    for machine in (
        Machine(name="false-server", test="tests/sync/byzantine/test_false_server.py"),
        Machine(name="honest-server", test="tests/sync/byzantine/test_honest_server.py"),
    )
}
