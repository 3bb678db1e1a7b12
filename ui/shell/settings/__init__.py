# SPDX-License-Identifier: EUPL-1.2
"""The settings and the dialogs that they open."""
