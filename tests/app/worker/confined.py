# SPDX-License-Identifier: EUPL-1.2
"""Tries in a worker's process what a confined process must not be able to do."""

import subprocess
import sys

_CODE = """
import json, socket, sys
from {module} import process
def tried():
    found = {{}}
    for name, act in (("file", lambda: open("/tmp/kansli-confined", "w")), ("read", lambda: open("/etc/hostname")),
                      ("socket", socket.socket)):
        try:
            act()
            found[name] = "done"
        except OSError:
            found[name] = "refused"
    print(json.dumps(found), file=sys.stderr)
answer = process.{answering}.answer
process.{answering}.answer = lambda self, question: (tried(), answer(self, question))[1]
process.main()
"""


def tried(module: str, answering: str, question: bytes) -> bytes:
    """Asks the process of `module` the encoded `question`, and opens a file to write, one to read and a socket just
    before its class `answering` answers. Returns a line of JSON for each answer, with "refused" or "done" for each."""
    code = _CODE.format(module=module, answering=answering)
    return subprocess.run([sys.executable, "-c", code], input=question, capture_output=True, check=True).stderr
