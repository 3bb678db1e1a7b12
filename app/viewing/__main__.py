# SPDX-License-Identifier: EUPL-1.2
"""Runs the process that reads one file (`python -m app.viewing`), from a checkout. An installed program starts itself
with `--view` for this."""

import sys

from app.viewing.process import main

if __name__ == "__main__":
    sys.exit(main())
