"""Fits a flag: the same linear scores as a head's, calibrated on texts they have not seen, and the
probability from which on it is said."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from classifier import alarms, calibration, fusion
from classifier.corpus import Sample
from classifier.flags import Flag
from classifier.fusion import Floats, Row
from classifier.material import Material, Space, Text

PRECISION = 0.8  # of the flags that are raised, by the lower bound
_LABELS = ("no", "yes")
_FOLDS = 5  # with fewer, too little is learned of what so few texts have
_ENOUGH = 100  # rows of one language before it has a limit of its own


def rows_of(flag: str, samples: Sequence[Sample], outside: Sequence[int]) -> list[Row]:
    """What the samples, which come first, and the texts that are no inquiries teach of a flag."""
    taught = [
        Row(place, "yes" if flag in sample.flags else "no") for place, sample in enumerate(samples)
    ]
    return [*taught, *(Row(place, "no") for place in outside)]


def described(flag: str) -> list[tuple[str, Text]]:
    """What we ourselves say in such inquiries, and in others."""
    return [
        (label, Text(phrase, "taxonomy", language, described=True))
        for label, words in zip(("yes", "no"), alarms.ALARMS[flag], strict=True)
        for language, text in words.each()
        for phrase in text.split(" / ")
    ]


def fit(flag: str, material: Material, rows: Sequence[Row], space: Space, rarest: int) -> Flag:
    """One that is never raised where all rows say the same."""
    if len({row.label for row in rows}) < len(_LABELS):
        meaning = np.zeros(material.vectors.shape[1], dtype=np.float32)
        none = np.zeros(space.size, dtype=np.float16)
        return Flag(none, meaning, bias=0.0, mark=0.0, limits={"": calibration.NEVER})
    held_out = fusion.out_of_fold(material, rows, _LABELS, rarest, alike=False, count=_FOLDS)
    shares = fusion.shares_of(held_out, material.vectors.shape[1])
    slope, mark, offset, limits = 1.0, 0.0, 0.0, {"": calibration.NEVER}
    if len(held_out.truth) and held_out.parts:
        scores = held_out.fused(shares)
        tested = [
            material.texts[row.place] for row in rows if not material.texts[row.place].described
        ]
        marked = np.array([bool(alarms.marks(flag, text.text)) for text in tested])
        columns = np.stack([scores[:, 1] - scores[:, 0], marked.astype(np.float64)], axis=1)
        (slope, mark), offset = calibration.fit_line(columns, held_out.truth)
        total = columns @ np.array([slope, mark]) + offset
        likely = calibration.logistic(total)
        limits = _limits(likely, held_out.truth == 1, held_out.languages.tolist())
    sparse, dense, bias = fusion.joined(material, rows, _LABELS, space, shares)
    return Flag(
        sparse=(slope * (sparse[:, 1] - sparse[:, 0])).astype(np.float16),
        dense=(slope * (dense[:, 1] - dense[:, 0])).astype(np.float16).astype(np.float32),
        # As on disk, so that both answer alike.
        bias=float(np.float32(slope * (bias[1] - bias[0]) + offset)),
        mark=mark,
        limits=limits,
        trusted=fusion.trusted(material, rows),
    )


def _limits(
    likely: Floats, raised: calibration.Bools, languages: Sequence[str]
) -> dict[str, float]:
    """For any text under "", and for each language with enough rows.

    Where those alone are too few to be sure, that of all holds, or a higher one from which on
    enough of its own were right.
    """
    spoken = np.array(languages)
    of_all = calibration.threshold(likely, raised, PRECISION, surely=True)
    limits = {"": of_all}
    for language, count in sorted(Counter(languages).items()):
        if language and count >= _ENOUGH:
            mine = spoken == language
            own = calibration.threshold(likely[mine], raised[mine], PRECISION, surely=True)
            if own == calibration.NEVER:
                own = max(of_all, calibration.threshold(likely[mine], raised[mine], PRECISION))
            limits[language] = own
    return limits
