"""Models on disk: what is loaded is what was saved, and nothing else is loaded."""

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier import storage
from classifier.encoders import Encoder
from classifier.model import Model
from classifier.storage import BadModel

from .conftest import small_samples


@pytest.fixture
def path(small_model: Model, tmp_path: Path) -> Path:
    saved = tmp_path / "model.npz"
    storage.save(small_model, saved)
    return saved


def rewrite(path: Path, **changed: Any) -> None:
    """Replace arrays, with a card that agrees: what somebody who can write both files would do."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays.update(changed)
    packed = io.BytesIO()
    np.savez_compressed(packed, **{k: v for k, v in arrays.items() if v is not None})
    put(path, packed.getvalue())


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    edit_card(path, sha256=hashlib.sha256(content).hexdigest())


def edit_card(path: Path, **changed: Any) -> None:
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**card, **changed}))


def description(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        value: dict[str, Any] = json.loads(archive["description"].tobytes())
    return value


def packed(value: dict[str, Any]) -> Any:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def test_a_saved_model_answers_as_before(small_model: Model, path: Path, encoder: Encoder) -> None:
    loaded = storage.load(path, encoder)

    texts = [*(sample.text for sample in small_samples()), "", "\ud800", "x" * 9_000]
    assert [loaded.predict(text) for text in texts] == [small_model.predict(t) for t in texts]
    assert loaded.identity == small_model.identity


def test_saving_twice_writes_the_same_bytes(small_model: Model, path: Path) -> None:
    before = path.read_bytes()

    storage.save(small_model, path)

    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "model.npz"]


def test_every_flipped_byte_is_noticed(path: Path, encoder: Encoder) -> None:
    content = path.read_bytes()

    for place in range(0, len(content), len(content) // 40):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(BadModel, match=r"model\.npz is damaged"):
            storage.load(path, encoder)


@pytest.mark.parametrize("keep", [0, 1, 100, 5_000])
def test_a_truncated_file_is_refused(path: Path, keep: int, encoder: Encoder) -> None:
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(BadModel, match="does not match its checksum"):
        storage.load(path, encoder)


@pytest.mark.parametrize("key", ["format", "features", "scikit_learn", "encoder"])
@pytest.mark.parametrize("value", ["0.1", 99, None, []])
def test_another_version_is_refused(path: Path, key: str, value: object, encoder: Encoder) -> None:
    edit_card(path, **{key: value})

    with pytest.raises(BadModel, match=f"was made with {key}"):
        storage.load(path, encoder)


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 60_000, b" " * 70_000])
def test_a_broken_card_is_refused(path: Path, card: bytes, encoder: Encoder) -> None:
    path.with_suffix(".json").write_bytes(card)

    with pytest.raises(BadModel):
        storage.load(path, encoder)


def test_missing_files_are_refused(path: Path, encoder: Encoder) -> None:
    path.unlink()
    with pytest.raises(BadModel, match=r"model\.npz cannot be read"):
        storage.load(path, encoder)

    path.with_suffix(".json").unlink()
    with pytest.raises(BadModel, match=r"model\.json cannot be read"):
        storage.load(path, encoder)


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:  # type: ignore[explicit-override]
        return Path.touch, (self.mark,)


def test_code_in_a_file_is_never_run(path: Path, tmp_path: Path, encoder: Encoder) -> None:
    mark = tmp_path / "ran"
    objects = np.array([Bomb(mark)], dtype=object)

    put(path, pickle.dumps(Bomb(mark)))
    with pytest.raises(BadModel, match="cannot be unpacked"):
        storage.load(path, encoder)
    storage_path = path.with_name("other.npz")
    np.savez(storage_path, description=objects, allow_pickle=True)
    put(path, storage_path.read_bytes())
    with pytest.raises(BadModel, match="is not a model"):
        storage.load(path, encoder)

    assert not mark.exists()


def test_an_object_array_in_the_right_place_is_refused(
    path: Path, tmp_path: Path, encoder: Encoder
) -> None:
    mark = tmp_path / "ran"

    rewrite(path, stage_bias=np.array([Bomb(mark)] * 4, dtype=object))

    with pytest.raises(BadModel, match="wrong shape or type"):
        storage.load(path, encoder)
    assert not mark.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": np.zeros(3)},
        {"topic_bias": None},
        {"topic_bias": np.zeros(2, dtype=np.float32)},
        {"topic_bias": np.zeros(5, dtype=np.float64)},
        {"topic_bias": np.full(5, np.nan, dtype=np.float32)},
        {"stage_sparse": np.zeros((3, 4), dtype=np.float16)},
        {"topic_dense": np.zeros((7, 5), dtype=np.float16)},
        {"topic_shelf": np.full(30, 5, dtype=np.int16)},
        {"stage_shelf": np.zeros(29, dtype=np.int16)},
        {"shelf": np.zeros((30, 7), dtype=np.float16)},
        {"scope_sparse": np.zeros(3, dtype=np.float16)},
        {"urgent_sparse": np.zeros(3, dtype=np.float16)},
        {"complaint_bias": np.zeros(2, dtype=np.float32)},
        {"words_idf": np.zeros(3, dtype=np.float32)},
        {"topic_bias": np.full(5, 3e38, dtype=np.float32)},
        {"stage_bias": np.full(4, np.inf, dtype=np.float32)},
        {"urgent_bias": np.full(1, -2_000, dtype=np.float32)},
        {"shelf": np.full((30, 7), 60_000, dtype=np.float16)},
        {"words_names": np.frombuffer(b"a\na\nb", dtype=np.uint8)},
        {"words_names": np.frombuffer(b"\xff\xff", dtype=np.uint8)},
        {"description": np.frombuffer(b"[" * 50_000, dtype=np.uint8)},
        {"description": np.frombuffer(b"{}", dtype=np.uint8)},
        {"description": np.zeros(0, dtype=np.uint8)},
    ],
    ids=range(23),
)
def test_parts_that_do_not_fit_are_refused(
    path: Path, changed: dict[str, Any], encoder: Encoder
) -> None:
    rewrite(path, **changed)

    with pytest.raises(BadModel, match=r"^model\.npz is not a model: "):
        storage.load(path, encoder)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("samples",), "many"),
        (("samples",), True),
        (("samples",), -1),
        (("samples",), 10**400),
        (("name",), None),
        (("name",), "half a sign \ud83d"),
        (("name",), "ends here \0"),
        (("heads",), [1]),
        (("heads", "stage", "labels"), "ACDF"),
        (("heads", "stage", "labels"), [["A"], "C", "D", "F"]),
        (("heads", "stage", "rules"), [1]),
        (("heads", "stage", "rules"), None),
        (("heads", "stage", "rules"), {"": "abc"}),
        (("heads", "stage", "rules"), {"": ["1", "2", "0.5"]}),
        (("heads", "stage", "rules"), {"": [True, 2.0, 0.5]}),
        (("heads", "stage", "rules"), {"": [10**400, 2.0, 0.5]}),
        (("heads", "stage", "rules"), {"": [1.0, 0.0, 0.0]}),
        (("heads", "stage", "floor"), -1e300),
        (("heads", "stage", "floor"), float("inf")),
        (("heads", "stage", "trusted"), {"en": 1}),
        (("flags",), None),
        (("flags", "urgent", "limits"), [2.0]),
        (("flags", "urgent", "limits"), {"": 0.0}),
        (("flags", "urgent", "mark"), "1"),
        (("heads", "stage", "labels"), ["A", "A", "C", "D"]),
        (("heads", "stage", "labels"), ["A", "B", "C", "Z"]),
        (("heads", "stage", "labels"), [1, 2, 3, 4]),
        (("heads", "stage", "rules"), {}),
        (("heads", "stage", "rules"), {"": [0.0, 0.5, 0.5]}),
        (("heads", "stage", "rules"), {"": [1.0, 0.5, -1.0]}),
        (("heads", "stage", "rules"), {"": [float("nan"), 0.5, 0.5]}),
        (("heads", "stage", "rules"), {"": [1.0]}),
        (("heads", "stage", "rules"), {"": [1.0, 0.2, 0.5]}),
        (("heads", "stage", "floor"), float("nan")),
        (("heads", "stage", "trusted"), "en"),
        (("heads", "stage"), 7),
        (("flags", "urgent", "limits"), {}),
        (("flags", "urgent", "limits"), {"": 2.5}),
        (("flags", "urgent", "limits"), {"": float("nan")}),
        (("flags", "urgent", "mark"), -1.0),
        (("flags", "urgent", "trusted"), "en"),
        (("flags", "complaint"), {}),
        (("refs",), ["one"]),
        (("refs",), [1] * 30),
    ],
    ids=range(44),
)
def test_a_description_that_makes_no_sense_is_refused(
    path: Path, keys: tuple[str, ...], value: object, encoder: Encoder
) -> None:
    told = description(path)
    inner = told
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value

    rewrite(path, description=packed(told))

    with pytest.raises(BadModel, match=r"^model\.npz is not a model: "):
        storage.load(path, encoder)


def test_a_file_that_would_fill_the_memory_is_refused(path: Path, encoder: Encoder) -> None:
    content = io.BytesIO()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": (10**9, 10**6)}
    )
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in storage._ARRAYS:
            archive.writestr(f"{name}.npy", header.getvalue())
    put(path, content.getvalue())

    with pytest.raises(BadModel, match="is not a model"):
        storage.load(path, encoder)


def test_a_zip_bomb_is_refused(path: Path, encoder: Encoder) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in storage._ARRAYS:
            archive.writestr(f"{name}.npy", bytes(12_000_000))
    put(path, content.getvalue())

    with pytest.raises(BadModel, match="would unpack to more than any model"):
        storage.load(path, encoder)
