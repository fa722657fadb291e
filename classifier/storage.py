"""Models on disk: numbers in an .npz, and beside it a .json that says what they are and their hash.

Nothing in either file is ever executed. The hash finds damage, not malice: whoever can write both
files can also choose the answers, but no more than that.
"""

import hashlib
import io
import json
import math
import os
import zipfile
import zlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier import features, taxonomy
from classifier.contract import Basis
from classifier.model import Head, Identity, Model, Rule, Vocabulary

FORMAT = 1

_LARGEST_CARD = 64 * 1024
_LARGEST_FILE = 50 * 1024 * 1024
_LARGEST_UNPACKED = 100 * 1024 * 1024
_HEADS = ("stage", "topic")
_BLOCKS = ("words", "chars")

# Every array of the file, its kind and its dimensions. More or less than these is not a model.
_ARRAYS: dict[str, tuple[str, int]] = {
    "description": ("uint8", 1),
    "words_names": ("uint8", 1),
    "words_idf": ("float32", 1),
    "chars_names": ("uint8", 1),
    "chars_idf": ("float32", 1),
    "stage_weights": ("float16", 2),
    "stage_bias": ("float32", 1),
    "topic_weights": ("float16", 2),
    "topic_bias": ("float32", 1),
}

Arrays = dict[str, NDArray[Any]]


class BadModel(Exception):
    """A model file that must not be used; the message says why in a sentence."""


def versions() -> dict[str, Any]:
    """What a model must have been made with to be used here."""
    return {
        "format": FORMAT,
        "features": features.VERSION,
        "scikit_learn": metadata.version("scikit-learn"),
    }


def card_path(path: Path) -> Path:
    return path.with_suffix(".json")


def save(model: Model, path: Path) -> None:
    """Write `path` and, last, the .json beside it: without that one there is no model."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **_arrays(model))
    content = packed.getvalue()
    card = {
        **versions(),
        "name": model.identity.name,
        "basis": model.identity.basis.value,
        "samples": model.identity.samples,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content)
    _write(card_path(path), (json.dumps(card, indent=2) + "\n").encode())


def _write(path: Path, content: bytes) -> None:
    # Two processes may fit the same model at once; each writes a file of its own first.
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.write_bytes(content)
    draft.replace(path)


def load(path: Path) -> Model:
    """Read a model saved by this version of Setten and scikit-learn. Raises `BadModel`."""
    try:
        card = _parse(_read(card_path(path), _LARGEST_CARD))
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{card_path(path).name} does not describe a model: {error}.") from error
    for key, wanted in versions().items():
        if card.get(key) != wanted:
            raise BadModel(
                f"{path.name} was made with {key} {card.get(key)!r}; this program needs {wanted!r}."
            )
    content = _read(path, _LARGEST_FILE)
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise BadModel(f"{path.name} is damaged: its content does not match its checksum.")
    try:
        return _model(_unpack(content))
    except (ValueError, KeyError, TypeError, EOFError, RecursionError, MemoryError) as error:
        raise BadModel(f"{path.name} is not a model: {error}.") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise BadModel(f"{path.name} cannot be unpacked: {error}.") from error


def _read(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise BadModel(f"{path.name} cannot be read: {error.strerror}.") from error
    if len(content) > largest:
        raise BadModel(f"{path.name} is larger than any model.")
    return content


def _parse(content: bytes) -> dict[str, Any]:
    value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - wrong content, not a wrong call
    return value


def _unpack(content: bytes) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if set(members) != {f"{name}.npy" for name in _ARRAYS}:
            raise ValueError("it holds other parts than a model")
        if sum(info.file_size for info in members.values()) > _LARGEST_UNPACKED:
            raise ValueError("it would unpack to more than any model")
        return {name: _array(archive, members[f"{name}.npy"], *_ARRAYS[name]) for name in _ARRAYS}


def _array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: str, dimensions: int
) -> NDArray[Any]:
    with archive.open(member) as file:
        raw = io.BytesIO(file.read(member.file_size))
    version = np.lib.format.read_magic(raw)
    if version != (1, 0):
        raise ValueError(f"{member.filename} is in an unknown layout")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(raw)
    if dtype != np.dtype(kind) or len(shape) != dimensions:
        raise ValueError(f"{member.filename} has the wrong shape or type")
    body = raw.getvalue()[raw.tell() :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{member.filename} is not as long as it says")
    array = np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if by_column else "C")
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{member.filename} holds numbers that are none")
    return array


def _arrays(model: Model) -> Arrays:
    heads = {"stage": model.stage, "topic": model.topic}
    description = {
        "name": model.identity.name,
        "basis": model.identity.basis.value,
        "samples": model.identity.samples,
        "heads": {
            name: {
                "labels": head.labels,
                "rules": {key: [r.temperature, r.threshold] for key, r in head.rules.items()},
            }
            for name, head in heads.items()
        },
    }
    arrays: Arrays = {"description": _bytes(json.dumps(description))}
    for name, block, idf in zip(
        _BLOCKS, model.vocabulary.blocks, model.vocabulary.idf, strict=True
    ):
        arrays[f"{name}_names"] = _bytes("\n".join(sorted(block, key=block.__getitem__)))
        arrays[f"{name}_idf"] = idf
    for name, head in heads.items():
        arrays[f"{name}_weights"] = np.ascontiguousarray(head.weights)
        arrays[f"{name}_bias"] = head.bias
    return arrays


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _model(arrays: Arrays) -> Model:
    description = _parse(arrays["description"].tobytes())
    blocks = tuple(_names(arrays[f"{name}_names"]) for name in _BLOCKS)
    idf = tuple(arrays[f"{name}_idf"] for name in _BLOCKS)
    if [len(block) for block in blocks] != [len(column) for column in idf]:
        raise ValueError("its vocabulary and its weights differ in length")
    rows = sum(len(block) for block in blocks)
    stage, topic = (_head(name, arrays, description["heads"][name], rows) for name in _HEADS)
    if not set(stage.labels) <= set(taxonomy.STAGE_KEYS):
        raise ValueError("it knows stages that do not exist")
    identity = Identity(
        str(description["name"]), Basis(description["basis"]), int(description["samples"])
    )
    return Model(Vocabulary(blocks, idf), stage, topic, identity)


def _names(raw: NDArray[np.uint8]) -> dict[str, int]:
    text = raw.tobytes().decode()
    names = {name: place for place, name in enumerate(text.split("\n"))} if text else {}
    if len(names) != (text.count("\n") + 1 if text else 0):
        raise ValueError("its vocabulary repeats itself")
    return names


def _head(name: str, arrays: Arrays, described: Mapping[str, Any], rows: int) -> Head:
    labels = tuple(described["labels"])
    if not labels or len(set(labels)) != len(labels) or not all(isinstance(x, str) for x in labels):
        raise ValueError(f"the answers of {name} are not different words")
    weights, bias = arrays[f"{name}_weights"], arrays[f"{name}_bias"]
    if weights.shape != (rows, len(labels)) or bias.shape != (len(labels),):
        raise ValueError(f"the weights of {name} do not fit its answers")
    rules = {
        str(language): Rule(float(temperature), float(threshold))
        for language, (temperature, threshold) in described["rules"].items()
    }
    if "" not in rules or not all(
        0.001 < rule.temperature < 1_000 and 0 <= rule.threshold <= 2 for rule in rules.values()
    ):
        raise ValueError(f"the thresholds of {name} make no sense")
    return Head(labels, weights, bias, rules)
