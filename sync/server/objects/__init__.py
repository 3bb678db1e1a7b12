# SPDX-License-Identifier: EUPL-1.2
"""Where sealed parts of blobs lie: a Protocol, and folders on a disk."""
