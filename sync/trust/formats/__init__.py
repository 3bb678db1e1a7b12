# SPDX-License-Identifier: EUPL-1.2
"""The bytes that everything signed is made of: fields, positions, codes that a person types."""
