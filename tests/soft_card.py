# SPDX-License-Identifier: EUPL-1.2
"""A smart card in software: SoftHSM2, with its card in a folder of the test.

`python -m tests.soft_card MODULE LABEL PIN KEY …` makes the keys of a card, in a process of its own, so that no test
loads the library itself.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.card.reader import CardReader

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
MODULE = next((path for path in MODULES if Path(path).exists()), "")
needs_softhsm = pytest.mark.skipif(
    not MODULE or shutil.which("softhsm2-util") is None, reason="no softhsm2: nothing here plays a smart card"
)
PIN, LABEL = "4711-åäö", "Tjänstekort 🙂"
SHIM = Path(__file__).parent / "app" / "card" / "shim.c"
_ROOT = Path(__file__).parents[1]
_made = Path(tempfile.mkdtemp(prefix="kansli-card-"))
atexit.register(shutil.rmtree, _made, ignore_errors=True)


class SoftCard:
    """A reader with one card, in `folder`. The environment names it to every process that is started meanwhile."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.tokens = folder / "tokens"
        self.tokens.mkdir(parents=True)
        self.tries = folder / "tries"
        """A byte for each time that a library of `shim` was given a PIN."""
        self._conf = folder / "softhsm2.conf"
        self._conf.write_text(f"directories.tokendir = {self.tokens}\nlog.level = ERROR\n", encoding="utf-8")
        monkeypatch.setenv("SOFTHSM2_CONF", str(self._conf))

    def make(self, *keys: str, again: bool = False) -> None:
        """Puts a card with these keys into the reader: "rsa", "p256", "p384", "p521". Those of one process are copies
        of one card, with `again` False."""
        kept = _made / "-".join(("card", *keys))
        if again or not kept.exists():
            shutil.rmtree(self.tokens)
            self.tokens.mkdir()
            self._run("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "12345678", "--pin", PIN)
            if keys:
                self._run(sys.executable, "-m", "tests.soft_card", MODULE, LABEL, PIN, *keys)
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self.tokens, kept)
        shutil.copytree(kept, self.tokens, dirs_exist_ok=True)

    def take_out(self) -> None:
        """Takes every card out of the reader."""
        for each in self.tokens.iterdir():
            shutil.rmtree(each)

    def reader(self, module: str = MODULE, *, answer_s: float = 10.0) -> CardReader:
        """The program's side of it."""
        return CardReader(lambda: module, answer_s=answer_s)

    def shim(self, mode: str) -> str:
        """A library that does what SoftHSM does, but for one thing: the name of a part of tests/app/card/shim.c."""
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("no C compiler: nothing here plays a card that fails")
        made = self.folder / f"{mode}.so"
        define = [f"-D{mode}", f'-DREAL="{MODULE}"', f'-DPIN="{PIN}"', f'-DTRIES="{self.tries}"']
        self._run(compiler, "-shared", "-fPIC", "-w", *define, "-o", str(made), str(SHIM), "-ldl")
        return str(made)

    def _run(self, *command: str) -> None:
        environment = {**os.environ, "SOFTHSM2_CONF": str(self._conf), "PYTHONPATH": str(_ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


def _make_keys(module: str, label: str, pin: str, keys: list[str]) -> None:
    import pkcs11
    from pkcs11.util.ec import encode_named_curve_parameters

    curves = {"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1"}
    token = pkcs11.lib(module).get_token(token_label=label)
    with token.open(rw=True, user_pin=pin) as session:
        for n, key in enumerate(keys, start=1):
            if key == "rsa":
                session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, id=bytes((n,)), label=f"Nyckel {n}")
                continue
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(curves[key])},
                local=True,
            )
            parameters.generate_keypair(
                store=True, id=bytes((n,)), label=f"Nyckel {n}", capabilities=pkcs11.MechanismFlag.DERIVE
            )


if __name__ == "__main__":
    _make_keys(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
