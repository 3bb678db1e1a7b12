# SPDX-License-Identifier: EUPL-1.2
"""`python -m ui`: the desktop application."""

import sys

from ui.main import main

sys.exit(main(sys.argv[1:]))
