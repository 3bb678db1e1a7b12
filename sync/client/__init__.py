# SPDX-License-Identifier: EUPL-1.2
"""The client engine: moves changes between an owner's store and the server."""
