# SPDX-License-Identifier: EUPL-1.2
"""The commands of an operator: each works on the store while the server runs or is stopped."""
