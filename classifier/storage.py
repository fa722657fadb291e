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

from classifier import features, taxonomy, threads
from classifier.calibration import NEVER
from classifier.encoders import Encoder
from classifier.flags import Flag
from classifier.model import Head, Identity, Model, Rule, Scope
from classifier.nearest import WIDTH, Shelf
from classifier.vocabulary import Vocabulary

FORMAT = 5

_LARGEST_CARD = 64 * 1024
_LARGEST_FILE = 100 * 1024 * 1024
_LARGEST_UNPACKED = 150 * 1024 * 1024
_HEADS = ("stage", "topic")
_LINES = ("scope", *taxonomy.FLAGS)  # of one score each
_BLOCKS = ("words", "chars")

# Every array of the file, its kind and its dimensions. More or less than these is not a model.
_ARRAYS: dict[str, tuple[str, int]] = {
    "description": ("uint8", 1),
    "words_names": ("uint8", 1),
    "words_idf": ("float32", 1),
    "chars_names": ("uint8", 1),
    "chars_idf": ("float32", 1),
    **{f"{name}_sparse": ("float16", 1) for name in _LINES},
    **{f"{name}_dense": ("float16", 1) for name in _LINES},
    **{f"{name}_bias": ("float32", 1) for name in _LINES},
    "shelf": ("float16", 2),
    "stage_sparse": ("float16", 2),
    "stage_dense": ("float16", 2),
    "stage_bias": ("float32", 1),
    "stage_shelf": ("int16", 1),
    "topic_sparse": ("float16", 2),
    "topic_dense": ("float16", 2),
    "topic_bias": ("float32", 1),
    "topic_shelf": ("int16", 1),
}

# Those that are fitted stay far below. Beyond it no number of a model means anything, and sums of
# them would soon be none.
_LARGEST_WEIGHT = 1_000.0
_LARGEST_IDF = 100.0
_LONGEST_VECTOR = 1.01  # of each text on the shelf it is one, but for rounding

Arrays = dict[str, NDArray[Any]]


class BadModel(Exception):
    """A model file that must not be used; the message says why in a sentence."""


def versions(encoder: Encoder) -> dict[str, Any]:
    """What a model must have been made with to be used here. Raises `NoEncoder`."""
    return {
        "format": FORMAT,
        "features": features.VERSION,
        "encoder": encoder.fingerprint,
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
        **versions(model.encoder),
        "name": model.identity.name,
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


def load(path: Path, encoder: Encoder) -> Model:
    """Read a model saved by this version of Setten, of scikit-learn and of this encoder.

    Raises `BadModel`, and `NoEncoder` when the encoder itself cannot be read.
    """
    try:
        card = _parse(_read(card_path(path), _LARGEST_CARD))
    except Exception as error:
        raise BadModel(f"{card_path(path).name} does not describe a model: {error}.") from error
    for key, wanted in versions(encoder).items():
        if card.get(key) != wanted:
            raise BadModel(
                f"{path.name} was made with {key} {card.get(key)!r}; this program needs {wanted!r}."
            )
    content = _read(path, _LARGEST_FILE)
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise BadModel(f"{path.name} is damaged: its content does not match its checksum.")
    threads.one()
    try:
        return _model(_unpack(content), encoder)
    except RecursionError as error:
        raise BadModel(f"{path.name} is not a model: {error}.") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError) as error:
        raise BadModel(f"{path.name} cannot be unpacked: {error}.") from error
    except Exception as error:
        # Whoever wrote the file chose what it trips over. Nobody else has to know every way.
        raise BadModel(f"{path.name} is not a model: {error}.") from error


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


def _words(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{what} are no words")
    if b"\0" in "".join(value).encode():  # which raises where half a character is
        raise ValueError(f"{what} hold a sign that no text has")
    return tuple(value)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} is no number")  # noqa: TRY004 - wrong content, not a wrong call
    if not abs(value) <= _LARGEST_WEIGHT:  # nor is what JSON calls NaN
        raise ValueError(f"{what} makes no sense")
    return float(value)


def _members(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} have no names")  # noqa: TRY004 - wrong content, not a wrong call
    return value


def _plausible(arrays: Arrays) -> None:
    """Numbers of the right kind that no training comes to."""
    for name, array in arrays.items():
        if array.dtype.kind != "f" or name == "shelf" or not array.size:
            continue
        if np.abs(array).max() > _LARGEST_WEIGHT:
            raise ValueError(f"{name} holds weights that make no sense")
        if name.endswith("_idf") and not (array.min() > 0 and array.max() <= _LARGEST_IDF):
            raise ValueError(f"{name} holds rarities that make no sense")
    shelf = arrays["shelf"]
    if not len(shelf):
        raise ValueError("it has learned from no text")
    # One after the other: all at once, in full precision, would be held twice.
    if any(np.linalg.norm(row.astype(np.float32)) > _LONGEST_VECTOR for row in shelf):
        raise ValueError("its texts point nowhere")


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
    description = {
        "name": model.identity.name,
        "samples": model.identity.samples,
        "refs": model.shelf.refs,
        "heads": {
            name: {
                "labels": head.labels,
                "rules": {
                    key: [rule.temperature, rule.auto, rule.suggest]
                    for key, rule in head.rules.items()
                },
                "floor": head.floor,
                "trusted": sorted(head.trusted),
            }
            for name, head in model.heads.items()
        },
        "flags": {
            name: {
                "mark": flag.mark,
                "limits": dict(flag.limits),
                "trusted": sorted(flag.trusted),
            }
            for name, flag in model.flags.items()
        },
    }
    arrays: Arrays = {"description": _bytes(json.dumps(description))}
    for name, block, idf in zip(
        _BLOCKS, model.vocabulary.blocks, model.vocabulary.idf, strict=True
    ):
        arrays[f"{name}_names"] = _bytes("\n".join(sorted(block, key=block.__getitem__)))
        arrays[f"{name}_idf"] = idf
    lines: dict[str, Scope | Flag] = {"scope": model.scope, **model.flags}
    for name, line in lines.items():
        arrays[f"{name}_sparse"] = line.sparse
        arrays[f"{name}_dense"] = line.dense.astype(np.float16)
        arrays[f"{name}_bias"] = np.array([line.bias], dtype=np.float32)
    arrays["shelf"] = model.shelf.vectors.astype(np.float16)
    for name, head in model.heads.items():
        arrays[f"{name}_sparse"] = np.ascontiguousarray(head.sparse)
        arrays[f"{name}_dense"] = head.dense.astype(np.float16)
        arrays[f"{name}_bias"] = head.bias
        arrays[f"{name}_shelf"] = model.shelf.labels[name]
    return arrays


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _model(arrays: Arrays, encoder: Encoder) -> Model:
    description = _parse(arrays["description"].tobytes())
    blocks = tuple(_names(arrays[f"{name}_names"]) for name in _BLOCKS)
    idf = tuple(arrays[f"{name}_idf"] for name in _BLOCKS)
    if [len(block) for block in blocks] != [len(column) for column in idf]:
        raise ValueError("its vocabulary and its weights differ in length")
    shape = (sum(len(block) for block in blocks), encoder.width)
    described = _members(description["heads"], "its heads")
    heads = {name: _head(name, arrays, described[name], shape) for name in _HEADS}
    if not set(heads["stage"].labels) <= set(taxonomy.STAGE_KEYS):
        raise ValueError("it knows stages that do not exist")
    _plausible(arrays)
    alarms = _members(description["flags"], "its flags")
    shelf = _shelf(arrays, description["refs"], heads, encoder.width or WIDTH)
    return Model(
        vocabulary=Vocabulary(blocks, idf),
        heads=heads,
        scope=Scope(*_line("scope", arrays, shape)),
        flags={
            name: Flag(*_line(name, arrays, shape), *_alarms(name, alarms[name]))
            for name in taxonomy.FLAGS
        },
        shelf=shelf,
        identity=_identity(description),
        encoder=encoder,
    )


def _identity(description: Mapping[str, Any]) -> Identity:
    [name] = _words([description["name"]], "its name and the rest")
    samples = description["samples"]
    if isinstance(samples, bool) or not isinstance(samples, int) or not 0 <= samples < 2**31:
        raise ValueError("the number of its samples makes no sense")
    return Identity(name, samples)


def _line(
    name: str, arrays: Arrays, shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any], float]:
    sparse, dense, bias = (arrays[f"{name}_{part}"] for part in ("sparse", "dense", "bias"))
    if (sparse.shape, dense.shape, bias.shape) != ((shape[0],), (shape[1],), (1,)):
        raise ValueError(f"the weights of {name} do not fit its vocabulary")
    return sparse, dense.astype(np.float32), float(bias[0])


def _alarms(
    name: str, described: Mapping[str, Any]
) -> tuple[float, dict[str, float], frozenset[str]]:
    mark = _number(described["mark"], f"what the words of {name} count")
    limits = {
        language: _number(limit, f"a limit of {name}")
        for language, limit in _members(described["limits"], f"the limits of {name}").items()
    }
    if mark < 0:
        raise ValueError(f"what the words of {name} count makes no sense")
    if "" not in limits or not all(0 < limit <= NEVER for limit in limits.values()):
        raise ValueError(f"the limits of {name} make no sense")
    return mark, limits, frozenset(_words(described["trusted"], f"the languages of {name}"))


def _shelf(arrays: Arrays, refs: Any, heads: Mapping[str, Head], width: int) -> Shelf:
    vectors = arrays["shelf"].astype(np.float32)
    called = _words(refs, "the names of its texts")
    labels = {name: arrays[f"{name}_shelf"] for name in heads}
    if vectors.shape != (len(called), width) or {len(x) for x in labels.values()} != {len(called)}:
        raise ValueError("its texts, their names and their labels differ in number")
    for name, places in labels.items():
        if len(places) and not (places.min() >= -1 and places.max() < len(heads[name].labels)):
            raise ValueError(f"its texts have answers to {name} that do not exist")
    return Shelf(vectors, called, labels)


def _names(raw: NDArray[np.uint8]) -> dict[str, int]:
    text = raw.tobytes().decode()
    names = {name: place for place, name in enumerate(text.split("\n"))} if text else {}
    if len(names) != (text.count("\n") + 1 if text else 0):
        raise ValueError("its vocabulary repeats itself")
    return names


def _head(name: str, arrays: Arrays, described: Mapping[str, Any], shape: tuple[int, int]) -> Head:
    labels = _words(described["labels"], f"the answers of {name}")
    if not all(labels) or not labels or len(set(labels)) != len(labels):
        raise ValueError(f"the answers of {name} are not different words")
    sparse, dense = arrays[f"{name}_sparse"], arrays[f"{name}_dense"]
    bias = arrays[f"{name}_bias"]
    wide = len(labels)
    if (sparse.shape, dense.shape, bias.shape) != ((shape[0], wide), (shape[1], wide), (wide,)):
        raise ValueError(f"the weights of {name} do not fit its answers")
    rules = {
        language: _rule(*values)
        for language, values in _members(described["rules"], f"the thresholds of {name}").items()
    }
    if "" not in rules:
        raise ValueError(f"the thresholds of {name} make no sense")
    floor = _number(described["floor"], f"the least novelty of {name}")
    trusted = frozenset(_words(described["trusted"], f"the languages of {name}"))
    return Head(labels, sparse, dense.astype(np.float32), bias, rules, floor, trusted)


def _rule(*values: Any) -> Rule:
    temperature, auto, suggest = (_number(value, "a threshold") for value in values)
    if not (temperature > 0.001 and 0 < suggest <= auto <= NEVER):
        raise ValueError("a threshold makes no sense")
    return Rule(temperature, auto, suggest)
