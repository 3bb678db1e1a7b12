# SPDX-License-Identifier: EUPL-1.2
"""Notices on screen: their words, rows, and what a person does with them."""
