# SPDX-License-Identifier: EUPL-1.2
"""What the client uploads again when the server was restored from a backup (protocol §10)."""
