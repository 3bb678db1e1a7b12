# SPDX-License-Identifier: EUPL-1.2
"""The byte formats that all signed structures use: fields, positions, and codes that a person types."""
