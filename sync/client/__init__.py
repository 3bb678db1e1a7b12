# SPDX-License-Identifier: EUPL-1.2
"""The client engine: moves changes between the application's store and the server."""
