# SPDX-License-Identifier: EUPL-1.2
"""A person's signed log and what the agency certifies about it."""
