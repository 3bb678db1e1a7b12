# SPDX-License-Identifier: EUPL-1.2
"""Every rule of the server: who may ask for what, and what is stored. Knows no sockets."""
