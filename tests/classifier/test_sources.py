"""The linear scores a head is made of: the numbers of scikit-learn, in little memory."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix, hstack, random
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from classifier import nearest, sources
from classifier.encoders import Nothing
from classifier.material import Material, Text, gather
from classifier.sources import Lesson, Linear

from .conftest import chars_of, small_samples, words_of

_MEGABYTE = 1_000_000


def peak(doing: Callable[[], Any]) -> float:
    """Megabytes held at most, beside what there was."""
    tracemalloc.start()
    try:
        doing()
        return tracemalloc.get_traced_memory()[1] / _MEGABYTE
    finally:
        tracemalloc.stop()


def sparse(rows: int, columns: int, filled: float = 0.05) -> Any:
    matrix = random(rows, columns, filled, format="csr", random_state=0)
    matrix.data = np.ceil(matrix.data * 5)
    return matrix


def lesson(matrix: Any, vectors: Any, labels: int, words: int = 0) -> Lesson:
    rows = max(matrix.shape[0], len(vectors))
    truth = np.arange(rows) % labels
    return Lesson(matrix, vectors, truth, np.ones(rows), labels, words)


def test_discriminants_are_those_of_scikit_learn() -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 8)) * np.arange(1, 9)
    taught = lesson(csr_matrix((60, 1)), vectors.astype(np.float32), 3)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.8, priors=[1 / 3] * 3)
    theirs.fit(vectors, taught.truth)

    found = sources.discriminants(taught)

    away = vectors - theirs.means_[taught.truth]
    spread = np.trace(away.T @ away) / 8  # by which ours are multiplied, whatever the texts
    expected = 10 * spread / 60 * theirs.decision_function(vectors)
    ours = found.scores(vectors) / len(vectors)
    both = [scores - scores[:, :1] for scores in (ours * 60, expected)]
    assert both[0] == pytest.approx(both[1], rel=1e-4, abs=1e-3)


def test_discriminants_of_one_text_each_are_the_texts() -> None:
    taught = lesson(csr_matrix((3, 1)), np.eye(3, dtype=np.float32), 3)

    assert sources.discriminants(taught).scores(np.eye(3)).argmax(axis=1).tolist() == [0, 1, 2]


def test_a_machine_of_some_columns_sees_no_others() -> None:
    matrix = sparse(90, 50)
    taught = lesson(matrix, np.zeros((90, 0)), 3, words=20)

    found = sources.machine(taught, taught.words)

    alone = sources.machine(lesson(matrix[:, 20:], np.zeros((90, 0)), 3))
    assert (found.columns, alone.columns) == (slice(20, 50), slice(0, 30))
    assert np.array_equal(found.scores(matrix), alone.scores(matrix[:, 20:]))


def test_features_are_counted_as_scikit_learn_counts_them() -> None:
    texts = [
        *(sample.text for sample in small_samples()),
        "",
        "xxmail a@b.example 返品 返品 Rückgabe",
    ]

    found = gather([Text(text, "one", "") for text in texts], Nothing())

    for read, names, counts in zip((words_of, chars_of), found.names, found.counts, strict=True):
        theirs = CountVectorizer(analyzer=read)
        assert np.array_equal(theirs.fit_transform(texts).toarray(), counts.toarray())
        assert list(theirs.get_feature_names_out()) == names


def test_rows_are_weighed_block_by_block_in_the_memory_they_take() -> None:
    blocks = sparse(6_000, 2_000), sparse(6_000, 1_000)
    texts = [Text(str(row), str(row), "") for row in range(6_000)]
    material = Material(texts, ([], []), blocks, np.zeros((6_000, 0), dtype=np.float32))
    space = material.space(np.arange(6_000), 1)

    found = material.matrix(space, np.arange(6_000))

    logs = [block.copy() for block in blocks]
    for block in logs:
        block.data = 1 + np.log(block.data)
    weighed = [
        normalize(block[:, columns].multiply(idf).tocsr())
        for block, columns, idf in zip(logs, space.columns, space.idf, strict=True)
    ]
    assert abs(found - hstack(weighed)).max() < 1e-6
    size = (found.data.nbytes + found.indices.nbytes) / _MEGABYTE
    assert peak(lambda: material.matrix(space, np.arange(6_000))) < 2.5 * size


def test_many_labels_are_scored_without_a_second_copy_of_their_weights() -> None:
    weights = np.zeros((30_000, 128), dtype=np.float32)
    asked = sparse(10, 30_000, 0.001)

    used = peak(lambda: Linear(weights, np.zeros(128)).scores(asked))

    assert used < 1.2 * weights.nbytes / _MEGABYTE  # in double precision it would be twice


def test_centres_of_many_labels_are_held_in_single_precision_only() -> None:
    taught = lesson(sparse(128, 30_000, 0.001), np.zeros((128, 0)), 128)

    assert peak(lambda: sources.centres(taught)) < 1.5 * 30_000 * 128 * 4 / _MEGABYTE


def test_rows_are_sketched_while_the_likest_is_sought() -> None:
    known, asked = sparse(300, 5_000), sparse(2_000, 5_000)
    sketches = nearest.sketches(known)

    used = peak(lambda: nearest.likest(asked, sketches))

    expected = nearest.likest(nearest.sketches(asked), sketches)
    assert nearest.likest(asked, sketches) == pytest.approx(expected, abs=1e-6)
    assert used < 2_000 * nearest.WIDTH * 4 / _MEGABYTE
