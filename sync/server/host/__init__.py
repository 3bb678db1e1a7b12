# SPDX-License-Identifier: EUPL-1.2
"""What the server finds on its machine: key files, folders, the listening socket, systemd, the log."""
