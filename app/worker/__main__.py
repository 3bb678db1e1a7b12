# SPDX-License-Identifier: EUPL-1.2
"""`python -m app.worker`: the worker's process, from a checkout. An installed program starts itself with `--worker`."""

import sys

from app.worker.serve import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
