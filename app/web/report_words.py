"""What a report card says, in sentences that need no statistics."""

from app.domain.drift import FEWEST as FEW_TO_COMPARE
from app.domain.findings import EXAMPLES, WANTED, Finding, Point
from app.domain.report_card import ENOUGH
from app.domain.score import FEWEST, Share
from app.domain.words import Head
from app.services.queries.vocabulary import Vocabulary
from app.web import speech
from app.web.speech import percent, say, say_many


def card() -> str:
    """Where the model card lies in the reader's language."""
    language = speech.language()
    return f"docs/{language}/model-card.md" if language in {"de", "ja"} else "docs/model-card.md"


def question(head: Head) -> str:
    return say("Stage") if head is Head.STAGE else say("Topic")


def answer(label: str, head: Head, words: Vocabulary) -> str:
    """What screens call it; its own key when it is out of use."""
    known = words.stages if head is Head.STAGE else words.topics
    labels = next((one.labels for one in known if one.key == label), {})
    return labels.get(speech.language()) or labels.get("en") or label


def around(share: Share) -> str:
    """81 % (74–87): the share, and where it lies in 95 of 100 cases."""
    return say("%(percent)s (%(low)d–%(high)d)") % {
        "percent": percent(share.hits / share.n),
        "low": round(share.low),
        "high": round(share.high),
    }


def sentence(finding: Finding, head: Head, words: Vocabulary) -> str:
    """The finding in the language of the page."""
    said = _SENTENCES[finding.point]() if finding.point in _SENTENCES else _counted(finding)
    share, beside = finding.share, finding.beside
    is_language = finding.point is Point.WEAK_LANGUAGE
    return said % {
        "what": question(head),
        "label": speech.tongue(finding.label)
        if is_language
        else answer(finding.label, head, words),
        "n": share.n if share else 0,
        "missing": finding.n,
        "share": around(share) if share else "",
        "beside": around(beside) if beside else "",
        "percent": percent(share.hits / share.n) if share else "",
        "before": percent(beside.hits / beside.n) if beside else "",
        "said": percent(finding.said),
        "fewest": FEWEST,
        "enough": ENOUGH,
        "compared": FEW_TO_COMPARE,
        "examples": EXAMPLES,
        "wanted": percent(WANTED / 100),
        "num": finding.n,
    }


def _counted(finding: Finding) -> str:
    """Those whose words depend on a number."""
    if finding.point is Point.MISSING:
        return say_many(
            "%(num)d inquiry drawn at random still lacks a word of yours; until then these figures "
            "may be too good or too bad.",
            "%(num)d inquiries drawn at random still lack a word of yours; until then these "
            "figures may be too good or too bad.",
            finding.n,
        )
    if finding.point is Point.OTHERS_FEW:
        return say_many(
            "The same goes for %(num)d more with fewer than %(examples)d examples.",
            "The same goes for %(num)d more with fewer than %(examples)d examples each.",
            finding.n,
        )
    return say_many(
        "Do not rely on “%(label)s” yet: %(num)d example.",
        "Do not rely on “%(label)s” yet: %(num)d examples.",
        finding.n,
    )


# Called when they are said: only then it is known in which language.
_SENTENCES = {
    Point.NOBODY_SPOKE: lambda: say(
        "How good it is nobody knows yet: nobody has said of an inquiry what it is. Each one you "
        "accept or correct adds to this page."
    ),
    Point.FEW_DRAWN: lambda: say(
        "Not enough data yet: %(n)d of the inquiries drawn at random are labelled, and it takes "
        "%(fewest)d. Waiting for a word of yours: %(missing)d."
    ),
    Point.RIGHT: lambda: say("%(what)s is right in %(share)s of %(n)d inquiries drawn at random."),
    Point.GIVEN: lambda: say(
        "It was sure enough to give an answer in %(percent)s of them; of those answers "
        "%(beside)s were right."
    ),
    Point.NEVER_GIVEN: lambda: say("In none of them it was sure enough to give an answer."),
    Point.OVERSURE: lambda: say(
        "It sounds surer than it is: it says %(said)s on average, and %(share)s is right."
    ),
    Point.UNDERSURE: lambda: say(
        "It is better than it says: it says %(said)s on average, and %(share)s is right."
    ),
    Point.TRUSTED: lambda: say(
        "Its percentages can be believed: it says %(said)s on average, and %(share)s is right."
    ),
    Point.UNTRIED: lambda: say(
        "Whether its percentages can be believed cannot be told yet: that takes %(enough)d "
        "labelled inquiries."
    ),
    Point.READY: lambda: say("“%(label)s” can be relied on: right in %(share)s of %(n)d."),
    Point.TOO_OFTEN_WRONG: lambda: say(
        "Do not rely on “%(label)s”: right in %(share)s of %(n)d, and at "
        "least %(wanted)s is wanted."
    ),
    Point.NOT_CERTAIN: lambda: say(
        "Do not rely on “%(label)s” yet: right in %(share)s of %(n)d, which "
        "may still be less than %(wanted)s."
    ),
    Point.WEAK_LANGUAGE: lambda: say(
        "It is weaker in %(label)s: right in %(share)s of %(n)d there, in %(before)s elsewhere."
    ),
    Point.LETS_THROUGH: lambda: say(
        "Of %(n)d that were no inquiry it kept silent on %(share)s only."
    ),
    Point.CHANGED_MORE: lambda: say(
        "People change its answers more often: %(percent)s in the last four weeks, %(before)s in "
        "the twelve before."
    ),
    Point.CHANGED_LESS: lambda: say(
        "People change its answers less often: %(percent)s in the last four weeks, %(before)s in "
        "the twelve before."
    ),
    Point.UNSURE_MOVED: lambda: say(
        "How often it is unsure has changed: %(percent)s in the last four weeks, %(before)s in the "
        "twelve before."
    ),
    Point.LABELS_MOVED: lambda: say(
        "What inquiries are about has changed in the last four weeks: see below."
    ),
    Point.LANGUAGES_MOVED: lambda: say(
        "In the last four weeks inquiries came in other languages than before."
    ),
    Point.NOVELTY_MOVED: lambda: say(
        "In the last four weeks inquiries are not as like what it learned from as they were before."
    ),
    Point.CALM: lambda: say("The last four weeks are like the twelve before."),
    Point.NEW: lambda: say(
        "Whether anything is changing cannot be told yet: that takes %(compared)d inquiries in the "
        "last four weeks and %(compared)d in the twelve before."
    ),
}
