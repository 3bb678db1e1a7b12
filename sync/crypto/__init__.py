# SPDX-License-Identifier: EUPL-1.2
"""Every cryptographic primitive of Kansli; no other package imports `cryptography`."""
