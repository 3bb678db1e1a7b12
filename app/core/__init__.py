# SPDX-License-Identifier: EUPL-1.2
"""Small parts that everything in app/ stands on and that know nothing of the office."""
