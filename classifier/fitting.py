"""Fits a model with scikit-learn: heads made of several linear scores, which are weighed,
calibrated and given their thresholds on texts that the fitted part has not seen."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from classifier import calibration, flagging, fusion, nearest, scope, taxonomy
from classifier.calibration import Bools
from classifier.corpus import Sample, Strange, ref_of
from classifier.encoders import Encoder
from classifier.fusion import Floats, OutOfFold, Places, Row
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES
from classifier.material import Material, Space, Text, gather
from classifier.model import Head, Identity, Model, Rule, novelty
from classifier.taxonomy import FLAGS, Words
from classifier.vocabulary import Vocabulary

SUGGESTED_PRECISION = 0.7  # of the labels suggested; where it is not reached, nothing is
# The least likely of the suggestions is more likely right than wrong, too. The precision says
# nothing of it: among many that are sure, seven in ten are right though the last ones rarely are.
LIKELIER_THAN_NOT = 0.5
ACTED_PRECISION = 0.9  # of the labels given without asking
_STRANGE = 0.05  # share of texts that belong and are refused all the same
_ENOUGH = 100  # rows of one language before it has a temperature and a limit of its own


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model is fitted, beside what it learns from."""

    rarest: int = 2  # groups that must have written a word before it is learned
    acted: float = ACTED_PRECISION
    suggested: float = SUGGESTED_PRECISION


def fit(
    samples: Sequence[Sample],
    strange: Sequence[Strange] = (),
    *,
    name: str,
    encoder: Encoder,
    heads: Sequence[str] = ("stage", "topic"),
) -> Model:
    """A whole model from samples, texts that are no inquiries, and the words of the taxonomy."""
    texts = [
        Text(sample.text, sample.firm, sample.language, ref=ref_of(sample.text))
        for sample in samples
    ]
    rows = {
        head: [Row(place, getattr(sample, head)) for place, sample in enumerate(samples)]
        for head in heads
    }
    said = {
        "stage": (taxonomy.STAGES, STAGE_PHRASES),
        "topic": (taxonomy.TOPICS, TOPIC_PHRASES),
    }
    for head, taught in rows.items():
        for label, text in described(*said[head]):
            taught.append(Row(len(texts), label))
            texts.append(text)
    outside = range(len(texts), len(texts) + len(strange))
    texts += [Text(each.text, each.firm, each.language) for each in strange]
    flags = {flag: flagging.rows_of(flag, samples, outside) for flag in FLAGS}
    for flag, known in flags.items():
        for label, text in flagging.described(flag):
            known.append(Row(len(texts), label))
            texts.append(text)
    identity = Identity(name, len(samples))
    return fit_model(texts, rows, identity, encoder, outside=outside, flags=flags)


def fit_model(
    texts: Sequence[Text],
    rows: Mapping[str, Sequence[Row]],
    identity: Identity,
    encoder: Encoder,
    terms: Terms | None = None,
    *,
    outside: Sequence[int] = (),
    flags: Mapping[str, Sequence[Row]] = MappingProxyType({}),
) -> Model:
    """A model with a head for each name in `rows`, all on one vocabulary, and with these flags.

    The texts at the places `outside` are no inquiries.

    On one core: the machine has other things to do, several would mostly wait for each other, and
    the sums come out alike everywhere.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _fit_model(texts, rows, identity, encoder, terms or Terms(), outside, flags)


def _fit_model(
    texts: Sequence[Text],
    rows: Mapping[str, Sequence[Row]],
    identity: Identity,
    encoder: Encoder,
    chosen: Terms,
    outside: Sequence[int],
    flags: Mapping[str, Sequence[Row]],
) -> Model:
    material = gather(texts, encoder, chosen.rarest)
    space = material.space(np.arange(len(texts)), chosen.rarest)
    strange = set(outside)
    inside = [
        place for place, text in enumerate(texts) if place not in strange and not text.described
    ]
    inquiring = scope.out_of_fold(material, inside, outside, chosen.rarest)
    known = scope.fit(material, inside, outside, space)
    heads = {
        name: fit_head(material, taught, space, chosen, inquiring) for name, taught in rows.items()
    }
    if encoder.width:
        meanings = material.vectors.copy()
    else:
        meanings = nearest.sketches(material.matrix(space, np.arange(len(texts))))
    nearest.halve(meanings)
    labels = {name: np.full(len(texts), -1, dtype=np.int16) for name in rows}
    for name, taught in rows.items():
        for row in taught:
            labels[name][row.place] = heads[name].labels.index(row.label)
    return Model(
        vocabulary=_vocabulary(material, space),
        heads=heads,
        scope=known,
        flags={
            name: flagging.fit(name, material, taught, space, chosen.rarest)
            for name, taught in flags.items()
        },
        shelf=nearest.Shelf(
            meanings,
            tuple(text.ref for text in texts),
            labels,
        ),
        identity=identity,
        encoder=encoder,
    )


def described(
    categories: Iterable[taxonomy.Category], phrases: Mapping[str, Words]
) -> list[tuple[str, Text]]:
    """What we ourselves say a category is: its label, its description, its turns of phrase."""
    said = [
        (category.key, language, text)
        for category in categories
        for words in (category.label, category.about)
        for language, text in words.each()
    ]
    said += [
        (key, language, phrase)
        for key, words in phrases.items()
        for language, text in words.each()
        for phrase in text.split(" / ")
    ]
    return [(key, Text(text, "taxonomy", language, described=True)) for key, language, text in said]


def _vocabulary(material: Material, space: Space) -> Vocabulary:
    return Vocabulary(
        blocks=tuple(
            {names[column]: place for place, column in enumerate(columns)}
            for names, columns in zip(material.names, space.columns, strict=True)
        ),
        idf=tuple(idf.astype(np.float32) for idf in space.idf),
    )


def fit_head(
    material: Material, rows: Sequence[Row], space: Space, terms: Terms, inquiring: Floats
) -> Head:
    """One head. `inquiring` says of each text how much it is an inquiry at all."""
    labels = sorted({row.label for row in rows})
    held_out = fusion.out_of_fold(material, rows, labels, terms.rarest)
    shares = fusion.shares_of(held_out, material.vectors.shape[1])
    trusted = fusion.trusted(material, rows)
    rules, floor = _rules(held_out, shares, terms, inquiring[held_out.places], trusted)
    del held_out  # with many labels it is large, and so is what is learned next
    sparse, dense, bias = fusion.joined(material, rows, labels, space, shares)
    return Head(
        labels=tuple(labels),
        sparse=sparse.astype(np.float16),
        dense=dense.astype(np.float16).astype(np.float32),
        bias=bias.astype(np.float32),
        rules=rules,
        floor=floor,
        trusted=trusted,
    )


def _rules(
    held_out: OutOfFold,
    shares: Mapping[str, float],
    terms: Terms,
    inquiring: Floats,
    trusted: frozenset[str],
) -> tuple[dict[str, Rule], float]:
    """Thresholds for any text under "", for each language with enough rows and each of those
    `trusted`; and from which novelty on a text is one the head can know."""
    if not len(held_out.truth) or not held_out.parts:
        return {"": Rule(1.0, calibration.NEVER, calibration.NEVER)}, 0.0
    scores, truth = held_out.fused(shares), held_out.truth
    strange = novelty(scores.max(axis=1), held_out.likeness, inquiring)
    floor = float(np.quantile(strange, _STRANGE))
    familiar, right = strange >= floor, scores.argmax(axis=1) == truth
    people = held_out.human if trusted else np.zeros(len(truth), dtype=np.bool_)
    sure = calibration.softmax(scores).max(axis=1)
    suggest = _suggested(sure[familiar], right[familiar], terms)
    rules = {"": _rule(1.0, suggest, sure, right, familiar & people, terms)}
    spoken = {x for x, n in Counter(held_out.languages.tolist()).items() if x and n >= _ENOUGH}
    for language in sorted(spoken | trusted):
        chosen = held_out.languages == language
        own, limit = 1.0, suggest
        if language in spoken:
            own = _own_temperature(scores[chosen & held_out.known], truth[chosen & held_out.known])
        sure = calibration.softmax(scores, own).max(axis=1)
        chosen &= familiar
        if language in spoken:
            limit = _suggested(sure[chosen], right[chosen], terms)
        rules[language] = _rule(own, limit, sure, right, chosen & people, terms)
    return rules, floor


def _own_temperature(scores: Floats, truth: Places) -> float:
    """Of one language, where that helps: each half's must leave less surprise in the other."""
    even = np.arange(len(truth)) % 2 == 0
    for one in (even, ~even):
        found = calibration.fit_temperature(scores[one], truth[one])
        plain = calibration.surprise(scores[~one], truth[~one])
        if calibration.surprise(scores[~one], truth[~one], found) >= plain:
            return 1.0
    return calibration.fit_temperature(scores, truth)


def _suggested(sure: Floats, right: Bools, terms: Terms) -> float:
    return max(calibration.threshold(sure, right, terms.suggested), LIKELIER_THAN_NOT)


def _rule(
    temperature: float, suggest: float, sure: Floats, right: Bools, acting: Bools, terms: Terms
) -> Rule:
    """`acting` are the rows that tell how often it would be right to act. On those of the samples
    it proves nothing for anybody's mail."""
    auto = calibration.threshold(sure[acting], right[acting], terms.acted, surely=True)
    return Rule(temperature, max(auto, suggest), suggest)
