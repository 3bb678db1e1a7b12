# SPDX-License-Identifier: EUPL-1.2
"""`python -m app.documents.conversion`: the process, from a checkout. An installed program starts itself with
`--convert`."""

import sys

from app.documents.conversion.process import main

if __name__ == "__main__":
    sys.exit(main())
