# SPDX-License-Identifier: EUPL-1.2
"""People: the own account, colleagues, safety numbers and who is verified."""
