# SPDX-License-Identifier: EUPL-1.2
"""Runs the process that uses a smart card (`python -m app.card`), from a checkout. An installed program starts itself
with `--card` for this."""

import sys

from app.card.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
