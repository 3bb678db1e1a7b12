# SPDX-License-Identifier: EUPL-1.2
"""Error code → what happened, what it means for the work, what to do. The only place with such sentences.

Codes come from app/errors.py, app/*/errors.py, sync/errors.py and the server's refusals. English here, a table for each
subject; Swedish in resources/locale/sv/errors.po. The code itself is shown for support.
"""

from ui.errors.codes import code_of, in_ours
from ui.errors.sentences import Sentence, format_error, sentence, sentence_of, sentences

__all__ = ["Sentence", "code_of", "format_error", "in_ours", "sentence", "sentence_of", "sentences"]
