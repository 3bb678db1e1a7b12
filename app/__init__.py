# SPDX-License-Identifier: EUPL-1.2
"""What the office is: tools' models and use cases, and the encrypted store. Knows no Qt, opens no sockets."""
