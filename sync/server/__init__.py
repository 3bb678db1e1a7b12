# SPDX-License-Identifier: EUPL-1.2
"""The agency server: orders ciphertext and checks signatures; it never sees content."""
