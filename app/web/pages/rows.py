"""The rows of the list, drawn once for everybody who sees the same."""

from datetime import datetime
from functools import lru_cache

from markupsafe import Markup

from app.core import clock
from app.services.queries.inbox import Row
from app.services.queries.vocabulary import Vocabulary
from app.web import speech, templating
from app.web.speech import Voice
from channels.registry import all_channels


def drawn(row: Row, words: Vocabulary, is_here: bool, suffix: str) -> Markup:
    """A row as it stands in the list. “Waiting 3 h” is right to the minute."""
    minute = clock.now().replace(second=0, microsecond=0)
    return _drawn(row, words, is_here, suffix, speech.voice(), minute)


@lru_cache(maxsize=2048)
def _drawn(
    row: Row, words: Vocabulary, is_here: bool, suffix: str, _voice: Voice, _minute: datetime
) -> Markup:
    """All that it shows is in the arguments; the last two are what the template asks for itself."""
    module = templating.environment().get_template("inbox/_row.html").module
    made: Markup = module.item(row, words, all_channels(), is_here, suffix)  # type: ignore[attr-defined]
    return made
