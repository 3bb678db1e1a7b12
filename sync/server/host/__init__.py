# SPDX-License-Identifier: EUPL-1.2
"""The server's contact with its machine: key files, folders, the listening socket, systemd, the log."""
