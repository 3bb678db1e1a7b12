# SPDX-License-Identifier: EUPL-1.2
"""The wire's frames and versions. No I/O."""
