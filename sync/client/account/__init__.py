# SPDX-License-Identifier: EUPL-1.2
"""What the account's own secrets are, and how an account begins or is recovered. Knows no room."""
