# SPDX-License-Identifier: EUPL-1.2
"""Connections to the one configured server: addresses, proxies, TLS, frames and their replies."""
