# SPDX-License-Identifier: EUPL-1.2
"""`python -m app.viewing`: the process that reads one file, from a checkout. An installed program starts itself with
`--view`."""

import sys

from app.viewing.process import main

if __name__ == "__main__":
    sys.exit(main())
