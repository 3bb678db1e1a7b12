# SPDX-License-Identifier: EUPL-1.2
"""The running server: it accepts connections, reads frames and requests, and starts and stops in order."""
