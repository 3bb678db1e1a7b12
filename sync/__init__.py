# SPDX-License-Identifier: EUPL-1.2
"""How it travels: protocol, crypto, signed logs, client engine and server. Bytes only."""
