# SPDX-License-Identifier: EUPL-1.2
"""What a person's own devices share: records in an ordinary sealed room whose only member is the person, never
shown."""

from app.objects.kind import Kind
from app.personal.records import check

PERSONAL = "personal"

KIND = Kind(id=PERSONAL, project=check)
