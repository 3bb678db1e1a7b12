# SPDX-License-Identifier: EUPL-1.2
"""How many seconds a test waits for something that the program must do. A whole machine may stand still for some
seconds; a test that gives up after them would fail although the program has no fault. A test that checks that something
does not happen chooses a shorter time itself, since it always waits until the end of it."""

PATIENCE_S = 90.0
