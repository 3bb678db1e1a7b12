# SPDX-License-Identifier: EUPL-1.2
"""Small parts that all of app/ uses and that know nothing of the office."""
