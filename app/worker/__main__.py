# SPDX-License-Identifier: EUPL-1.2
"""`python -m app.worker`: the worker's process, from a checkout. An installed program starts itself with `--worker`."""

import sys

from app.worker.spare import spare

if __name__ == "__main__":
    spare()
    from app.worker.serve import main

    sys.exit(main(sys.argv[1:]))
