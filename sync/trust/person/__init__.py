# SPDX-License-Identifier: EUPL-1.2
"""A person's signed log, and the agency's certificates about the person."""
