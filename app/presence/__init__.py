# SPDX-License-Identifier: EUPL-1.2
"""Whether colleagues can be reached: what this person says of themselves, and what others have sent."""
