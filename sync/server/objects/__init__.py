# SPDX-License-Identifier: EUPL-1.2
"""The store of encrypted parts of files: a Protocol, and its implementation as folders on a disk."""
