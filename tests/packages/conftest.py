# SPDX-License-Identifier: EUPL-1.2
"""Tests of what is handed to IT. The builder is run as a folder, so its modules are top-level ones here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "packaging" / "builder"))
