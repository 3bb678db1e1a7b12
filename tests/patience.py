# SPDX-License-Identifier: EUPL-1.2
"""How long a test waits for what must happen. A busy machine may stand still for seconds: a test that gives up sooner
fails without a fault of the program. One that waits for what must not happen has a shorter time of its own."""

PATIENCE_S = 90.0
