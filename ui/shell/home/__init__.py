# SPDX-License-Identifier: EUPL-1.2
"""Home and my tasks: what needs the person's attention, over all rooms."""
