# SPDX-License-Identifier: EUPL-1.2
"""One room as this device knows it. Nothing here uses the network."""
