"""What is no inquiry: learned from texts that are none, and refused however likely a label is."""

import numpy as np

from classifier import evaluate, scope
from classifier.contract import Decision, Why
from classifier.encoders import Encoder, Nothing
from classifier.material import Text, gather
from classifier.tables import Example

WORDS = ("refund", "invoice")
INSIDE = [
    Example(f"please help me about the {WORDS[n % 2]} of n{n}x", WORDS[n % 2], "en")
    for n in range(120)
]
OUTSIDE = [
    Example(f"we offer you {WORDS[n % 2]} services, unsubscribe n{n}y", "oos", "en")
    for n in range(40)
]
OFFER = "we offer you refund services, unsubscribe"


def test_enough_texts_that_are_no_inquiry_teach_to_refuse_them(encoder: Encoder) -> None:
    model = evaluate.fit([*INSIDE, *OUTSIDE], (), encoder)

    offer, asked = model.see([OFFER, "please help me about the refund"], ["en", "en"])

    refused, given = model.judge("label", offer), model.judge("label", asked)
    assert (refused.decision, refused.why) == (Decision.ABSTAIN, Why.STRANGE)
    assert (given.decision, given.label) == (Decision.AUTO, "refund")


def test_a_few_of_them_teach_nothing(encoder: Encoder) -> None:
    model = evaluate.fit([*INSIDE, *OUTSIDE[:29]], (), encoder)

    offer = next(model.see([OFFER], ["en"]))

    assert offer.scope == 0.0


def test_each_text_is_scored_by_what_did_not_know_its_group() -> None:
    # Each firm has a word of its own for its one kind: only a leak could know it.
    texts = [Text(f"firm{n} firm{n} again", f"firm{n}", "en") for n in range(80) for _ in "12"]
    inside = [place for place in range(160) if place // 2 % 2 == 0]
    outside = [place for place in range(160) if place // 2 % 2 == 1]

    scores = scope.out_of_fold(gather(texts, Nothing()), inside, outside, 1)

    told_apart = np.mean(scores[inside]) - np.mean(scores[outside])
    assert abs(told_apart) < 0.2
