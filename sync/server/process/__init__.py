# SPDX-License-Identifier: EUPL-1.2
"""The running server: accepts connections, reads frames and requests, and starts and stops its parts in order."""
