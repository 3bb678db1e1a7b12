# SPDX-License-Identifier: EUPL-1.2
"""Smart cards (PKCS #11): a process of their own loads the library of the card's maker. docs/decisions/0033."""
