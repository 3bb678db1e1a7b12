# SPDX-License-Identifier: EUPL-1.2
"""How long `invite --csv` takes for a whole agency: the command as an operator starts it, with the letters."""

import subprocess
import sys
import time

from tests.bench.office import ROOT, as_shipped, found, scratch
from tests.bench.registry import Figure, bench

PEOPLE = 500


@bench("invites_500_s")
def invites() -> list[Figure]:
    """From the start of the process to its end: 500 codes in the database, their table and their letters on disk."""
    with scratch() as folder:
        data, people = found(folder), folder / "folk.csv"
        lines = (f"Handläggare Åsa Ö {k};Handläggare;Enheten för tillsyn\n" for k in range(PEOPLE))
        people.write_text("namn;titel;enhet\n" + "".join(lines), encoding="utf-8")
        command = [sys.executable, "-m", "sync.server", "invite", "--data", str(data), "--csv", str(people)]
        began = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, env=as_shipped(), stdout=subprocess.DEVNULL)
        took_s = time.perf_counter() - began
        size = people.with_name("folk.letters.pdf").stat().st_size
    note = f"with {PEOPLE} letters, {size / 1e6:.1f} MB of PDF"
    return [Figure(name="invites_500_s", value=took_s, unit="s", n=1, note=note)]
