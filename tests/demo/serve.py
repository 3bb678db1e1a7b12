# SPDX-License-Identifier: EUPL-1.2
"""`make serve`: the agency server alone, on this machine, with its data in build/serve and a certificate of its own."""

import os
import subprocess
import sys
from pathlib import Path

DATA = Path("build/serve")
PORT = "8443"
SERVER = [sys.executable, "-m", "sync.server"]


def prepare(data: Path) -> None:
    """Founds an agency there if there is none."""
    if not (data / "tls.pem").exists():
        subprocess.run(
            [*SERVER, "init", "--data", str(data), "--keys", str(data) + "-keys", "--demo-ca", "localhost"], check=True
        )


def main() -> None:
    prepare(DATA)
    print(f"The server listens on https://localhost:{PORT}; Ctrl+C ends it.")
    print(
        f"An activation code for one person:\n  .venv/bin/python -m sync.server invite --data {DATA} --name Handläggare"
    )
    print(f"Clients trust it through its CA file {DATA}/ca.pem (setting ca-file).", flush=True)
    os.execv(SERVER[0], [*SERVER, "serve", "--data", str(DATA), "--port", PORT])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
