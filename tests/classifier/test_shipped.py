"""The shipped model: made once, kept, and as good as it should be.

All of it in one file, and so in one process of the tests: to make it takes most of a minute.
"""

from pathlib import Path

import pytest

from classifier import corpus, train
from classifier.contract import Basis, Decision
from classifier.model import Model


@pytest.fixture(scope="session")
def model_folder(request: pytest.FixtureRequest) -> Path:
    """Where the shipped model is kept from run to run: its name changes with what it is made of."""
    cache: pytest.Cache = request.config.cache
    return cache.mkdir("triage-model")


@pytest.fixture(scope="session", params=train.PROFILES)
def shipped_model(request: pytest.FixtureRequest, model_folder: Path) -> Model:
    return train.fit_default(model_folder, request.param)


def profile_of(model: Model) -> str:
    return "encoder" if model.encoder.width else "plain"


def test_the_shipped_model_is_marked_as_learned_from_samples(shipped_model: Model) -> None:
    said = shipped_model.predict("Where is my parcel?", language="en")

    name = train.default_name(shipped_model.encoder)
    bases = {said.stage.basis, said.topic.basis, *(flag.basis for flag in said.flags)}
    assert (said.model, bases) == (name, {Basis.SAMPLES})
    assert {head.decision for head in (said.stage, said.topic)} <= {
        Decision.SUGGEST,
        Decision.ABSTAIN,
    }
    assert shipped_model.identity.samples == len(corpus.load())


def test_a_kept_model_is_not_fitted_again(shipped_model: Model, model_folder: Path) -> None:
    kept = model_folder / f"{train.default_name(shipped_model.encoder)}.npz"
    before = kept.stat().st_mtime_ns

    again = train.fit_default(model_folder, profile_of(shipped_model))

    assert kept.stat().st_mtime_ns == before
    assert again.predict("返品したい") == shipped_model.predict("返品したい")


def test_a_kept_model_is_small(shipped_model: Model, model_folder: Path) -> None:
    kept = model_folder / f"{train.default_name(shipped_model.encoder)}.npz"

    assert kept.stat().st_size < 10_000_000


def test_the_shipped_model_agrees_with_most_of_its_samples(shipped_model: Model) -> None:
    # It has learned from them: this only shows that file and program fit each other.
    samples = corpus.load()[::10]

    said = [shipped_model.predict(sample.text, language=sample.language) for sample in samples]

    right = sum(p.stage.top[0].label == s.stage for p, s in zip(said, samples, strict=True))
    assert right / len(samples) > 0.9


@pytest.mark.parametrize(
    ("text", "language", "stage", "topic", "reason"),
    [
        (
            "Guten Tag, hiermit kündige ich meinen Vertrag zum Jahresende.",
            *("de", "G", "contract_cancellation", "kündige"),
        ),
        (
            "先月購入した加湿器の電源が入らなくなりました。保証で修理をお願いできますか。",
            *("ja", "F", "fault_repair", "修理"),
        ),
        (
            "How much does it cost for fifteen people, and is there a discount? We compare offers.",
            *("en", "C", "price_quote", "discount"),
        ),
    ],
)
def test_the_shipped_model_gives_reasons_a_person_would_give(
    shipped_model: Model, text: str, language: str, stage: str, topic: str, reason: str
) -> None:
    said = shipped_model.predict(text, language=language)

    assert (said.stage.top[0].label, said.topic.top[0].label) == (stage, topic)
    assert reason in " ".join(r.text for r in (*said.stage.reasons, *said.topic.reasons))


def test_japanese_reasons_of_the_shipped_model_are_never_single_characters(
    shipped_model: Model,
) -> None:
    text = "いつもお世話になっております。先週注文した茶器がまだ届いていません。返金してください。"

    said = shipped_model.predict(text)

    lengths = [len(reason.text) for reason in (*said.stage.reasons, *said.topic.reasons)]
    assert lengths
    assert min(lengths) >= 2


def test_where_the_encoder_cannot_be_used_words_have_to_do(
    model_folder: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    model = train.fit_default(model_folder, weights=tmp_path)

    assert model.encoder.name == "none"
    assert [record.getMessage() for record in caplog.records] == [
        "no encoder; classifying by words only"
    ]
