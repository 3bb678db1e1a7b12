# SPDX-License-Identifier: EUPL-1.2
"""Every primitive, and the only importer of cryptography."""
