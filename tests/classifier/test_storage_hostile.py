"""Model files somebody wrote on purpose, with a checksum that agrees: refused, or harmless."""

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier import storage
from classifier.encoders import Encoder
from classifier.model import Model
from classifier.storage import BadModel

from .test_storage import description, packed, path, put, rewrite

__all__ = ["path"]  # the fixture


@pytest.mark.parametrize("value", [-1.0, 0.0, 3e38])
@pytest.mark.parametrize("name", ["words_idf", "chars_idf"])
def test_words_of_no_possible_rarity_are_refused(
    path: Path, name: str, value: float, encoder: Encoder
) -> None:
    with np.load(path) as archive:
        idf = archive[name].copy()
    idf[-1] = value

    rewrite(path, **{name: idf})

    with pytest.raises(BadModel, match=r"rarities|weights that make no sense"):
        storage.load(path, encoder)


def test_a_shelf_must_hold_texts_and_those_must_be_of_one_length(
    path: Path, encoder: Encoder
) -> None:
    with np.load(path) as archive:
        shelf = archive["shelf"]
    rewrite(path, shelf=shelf * np.float16(3))
    with pytest.raises(BadModel, match="point nowhere"):
        storage.load(path, encoder)

    none = {f"{head}_shelf": np.zeros(0, dtype=np.int16) for head in ("stage", "topic")}
    rewrite(path, shelf=shelf[:0], description=packed({**description(path), "refs": []}), **none)
    with pytest.raises(BadModel, match="learned from no text"):
        storage.load(path, encoder)


# What somebody puts where something else belongs.
_WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([10**400, -(2**63), 1e300, float("nan"), float("inf"), float("-inf"), 1e-300]),
    st.text(max_size=4),
    st.sampled_from(["1.0", "A", "en", "\0", "<b>"]),
    st.lists(st.one_of(st.none(), st.floats(), st.text(max_size=2)), max_size=4),
    st.dictionaries(st.text(max_size=2), st.one_of(st.floats(), st.text(max_size=2)), max_size=2),
    st.just([[[[1.0]]]]),
)


def put_somewhere(told: Any, draw: Any) -> Any:
    """Somewhere in it another value, one too many, or one that is gone."""
    if not isinstance(told, (dict, list)) or not told or draw(st.integers(0, 5)) == 0:
        return draw(_WRONG)
    keys = list(told) if isinstance(told, dict) else list(range(len(told)))
    key = keys[draw(st.integers(0, len(keys) - 1))]
    what = draw(st.sampled_from(["deeper", "deeper", "deeper", "gone", "more"]))
    if what == "deeper":
        told[key] = put_somewhere(told[key], draw)
    elif what == "gone":
        del told[key]
    elif isinstance(told, dict):
        told[draw(st.text(max_size=2))] = draw(_WRONG)
    else:
        told.insert(key, draw(_WRONG))
    return told


def with_other_numbers(array: Any, draw: Any) -> Any:
    changed = array.copy()
    if changed.size:
        place = draw(st.integers(0, changed.size - 1))
        flat = changed.reshape(-1)
        if changed.dtype.itemsize == 2 and changed.dtype.kind == "f":
            flat[place] = draw(st.floats(width=16))
        elif changed.dtype.kind == "f":
            flat[place] = draw(st.floats(width=32))
        else:
            least, most = np.iinfo(changed.dtype).min, np.iinfo(changed.dtype).max
            flat[place] = draw(st.integers(int(least), int(most)))
    shape = draw(st.sampled_from(["same", "same", "same", "shorter", "flat", "other"]))
    if shape == "shorter":
        return changed[:-1]
    if shape == "flat":
        return changed.reshape(-1)
    return changed.astype(np.float64) if shape == "other" else changed


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_file_changed_anywhere_is_refused_or_answers_in_numbers(
    data: st.DataObject, small_model: Model, encoder: Encoder, tmp_path: Path
) -> None:
    path = tmp_path / "model.npz"
    storage.save(small_model, path)
    if data.draw(st.booleans()):
        told = put_somewhere(description(path), data.draw)
        changed = {"description": packed(told)}
    else:
        name = data.draw(st.sampled_from(sorted(storage._ARRAYS)))
        with np.load(path) as archive:
            changed = {name: with_other_numbers(archive[name], data.draw)}
    rewrite(path, **changed)

    try:
        loaded = storage.load(path, encoder)
    except BadModel:
        return

    for text in ("Our kettle leaks, please refund it.", "返品したいです", ""):
        said = loaded.predict(text)
        numbers = [
            *(each.probability for each in said.flags),
            *(
                number
                for head in (said.stage, said.topic)
                for number in (
                    head.probability,
                    head.novelty,
                    *(guess.probability for guess in head.top),
                    *(near.similarity for near in head.nearest),
                    *(reason.weight for reason in head.reasons),
                )
            ),
        ]
        assert all(math.isfinite(number) for number in numbers)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f2', 'fortran_order': False, 'shape': (3,), ",
        b"{'descr': " + b"(" * 5_000 + b")" * 5_000 + b"}",
        b"'" * 3,
        b"{'descr': [('a', 3)], 'fortran_order': 1, 'shape': 'abc'}",
        b"\xff\x00",
    ],
    ids=range(5),
)
def test_an_array_that_describes_itself_wrongly_is_refused(
    path: Path, header: bytes, encoder: Encoder
) -> None:
    head = np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in storage._ARRAYS:
            archive.writestr(f"{name}.npy", head)
    put(path, content.getvalue())

    with pytest.raises(BadModel):
        storage.load(path, encoder)
