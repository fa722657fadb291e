"""The sample inquiries: enough of each, unlike each other, and not given away by their label."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations

import pytest

from classifier import corpus, taxonomy
from classifier.corpus import LANGUAGES, BadCorpus, Sample
from classifier.language import FILLERS, detect

GOOD = '{"text": "Where is it?", "stage": "D", "topic": "delivery", "channel": "chat", "firm": "a"}'


@cache
def samples_of(language: str) -> tuple[Sample, ...]:
    return corpus.load([language])


def test_parse_reads_a_line() -> None:
    samples = corpus.parse(GOOD + "\n\n", language="en", name="x")

    assert samples == [Sample("Where is it?", "D", "delivery", "chat", "a", "en")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "x, line 1: not JSON"),
        ("[]", "x, line 1: needs exactly the keys channel, firm, stage, text, topic"),
        (GOOD.replace('"firm"', '"company"'), "x, line 1: needs exactly the keys"),
        (GOOD.replace('"a"', "3"), "x, line 1: firm must be a text that is not empty"),
        (GOOD.replace('"a"', '" "'), "x, line 1: firm must be a text that is not empty"),
        (GOOD.replace('"D"', '"K"'), "x, line 1: stage 'K' is none of A, B, C, D, E, F, G, H, L"),
        (GOOD.replace('"delivery"', '"post"'), "x, line 1: topic 'post' is none of order_status"),
        (GOOD.replace('"chat"', '"fax"'), "x, line 1: channel 'fax' is none of email, chat, phone"),
        (GOOD + "\n" + GOOD, "x, line 2: the text of line 1 again"),
    ],
)
def test_parse_says_what_is_wrong(line: str, message: str) -> None:
    with pytest.raises(BadCorpus) as caught:
        corpus.parse(line, language="en", name="x")

    assert str(caught.value).startswith(message)


def test_load_names_a_missing_file() -> None:
    with pytest.raises(BadCorpus) as caught:
        corpus.load(["fr"])

    assert str(caught.value) == "seed/fr.jsonl is missing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sixty_samples_of_each_stage(language: str) -> None:
    counts = Counter(sample.stage for sample in samples_of(language))

    assert {stage: n for stage in taxonomy.STAGE_KEYS if (n := counts[stage]) < 60} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_twenty_five_samples_of_each_topic(language: str) -> None:
    counts = Counter(sample.topic for sample in samples_of(language))

    assert {topic: n for topic in taxonomy.TOPIC_KEYS if (n := counts[topic]) < 25} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_come_from_many_firms_and_every_channel(language: str) -> None:
    samples = samples_of(language)
    channels = Counter(sample.channel for sample in samples)

    assert len({sample.firm for sample in samples}) >= 25
    assert {c for c in ("email", "chat", "phone") if channels[c] < len(samples) * 0.08} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_are_in_their_language(language: str) -> None:
    others = set(LANGUAGES) - {language}

    strange = [sample.text for sample in samples_of(language) if detect(sample.text) in others]

    assert len(strange) / len(samples_of(language)) <= 0.02


def test_a_hundred_and_fifty_texts_are_out_of_scope() -> None:
    strange = corpus.load_strange()

    assert len(strange) >= 150
    assert {one.kind for one in strange} == set(corpus.KINDS)
    assert min(Counter(one.language for one in strange).values()) >= 50
    assert {one.text for one in strange} & {s.text for s in corpus.load()} == set()


def _grams(text: str) -> frozenset[str]:
    squeezed = " ".join(text.split())
    return frozenset(squeezed[place : place + 5] for place in range(max(1, len(squeezed) - 4)))


@cache
def texts_of(language: str) -> tuple[str, ...]:
    """Of inquiries and of what is none."""
    strange = [one.text for one in corpus.load_strange() if one.language == language]
    return (*(sample.text for sample in samples_of(language)), *strange)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_samples_share_more_than_half_of_their_five_character_pieces(language: str) -> None:
    grams = [(text, _grams(text)) for text in texts_of(language)]

    alike = [
        (one, other)
        for (one, mine), (other, theirs) in combinations(grams, 2)
        if len(mine & theirs) > min(len(mine), len(theirs)) / 2
    ]

    assert alike == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_opening_is_used_too_often(language: str) -> None:
    texts = texts_of(language)
    openings = Counter(text[:12].casefold() for text in texts)

    often = {text: n for text, n in openings.items() if n > len(texts) * 0.03}

    assert often == {}


# Of a Japanese label, which is written in one run: two kanji are a word, or part of a longer one.
_WORD = re.compile(r"[\u4e00-\u9fff]{2}|[\u30a1-\u30fa\u30fc]{2,}")


def _label_words(category: taxonomy.Category, language: str) -> set[str]:
    label: str = getattr(category.label, language)
    if language == "ja":
        return set(_WORD.findall(label))
    parts = label.replace("・", " ").replace("&", " ").split()
    return {part.casefold() for part in parts} - FILLERS - {"us", "after", "nach"}


def _given_away(
    categories: Iterable[taxonomy.Category], kind: str, language: str
) -> Iterator[tuple[str, float]]:
    for category in categories:
        words = _label_words(category, language)
        texts = [
            s.text.casefold() for s in samples_of(language) if getattr(s, kind) == category.key
        ]
        for word in sorted(words):
            yield f"{category.key}: {word}", sum(word in text for text in texts) / len(texts)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["stage", "topic"])
def test_labels_are_not_in_the_texts_they_name(kind: str, language: str) -> None:
    categories = taxonomy.STAGES if kind == "stage" else taxonomy.TOPICS

    shares = dict(_given_away(categories, kind, language))

    assert shares
    assert {word: share for word, share in shares.items() if share > 0.3} == {}
