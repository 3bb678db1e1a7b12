# SPDX-License-Identifier: EUPL-1.2
"""Manners on a desktop: one instance, tray, autostart, links, sleep, networks and proxies. Knows no room."""
