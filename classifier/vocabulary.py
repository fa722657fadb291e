"""What a model knows of words: which features there are, and where in a text they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifier import features
from classifier.courtesy import says_something
from classifier.reasons import Word, telling

_WORDS_KEPT = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Each time a known feature stands in the text: which one, and from where to where."""

    which: NDArray[np.intp]  # place in `Look.columns`
    times: NDArray[np.intp]  # how often that feature stands there in all
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A text as the heads see it: which features it has, and how strongly."""

    cleaned: features.Clean
    words: Sequence[Word]  # that can be shown as a reason
    columns: NDArray[np.intp]
    values: NDArray[np.float64]
    stands: Places  # where in the text the columns stand
    anything: bool  # whether it says something beside courtesy and numbers


# Known features in a text or in a word, each as often as it stands there: columns, starts, ends.
Found = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """What each block of features knows: name to column, and how rare each column is."""

    blocks: tuple[Mapping[str, int], ...]
    idf: tuple[NDArray[np.float32], ...]
    _of_words: dict[str, Found] = field(default_factory=dict)  # pieces of words seen lately

    def look(self, text: str) -> Look:
        """The same numbers as scikit-learn's TfidfVectorizer, with the places kept."""
        cleaned = features.clean(text)
        found = features.tokens(cleaned.text)
        columns: list[NDArray[np.intp]] = []
        values: list[NDArray[np.float64]] = []
        stands: list[NDArray[np.intp]] = []
        offset = seen = 0
        blocks = (_found(self.blocks[0], features.word_features(found)), self._pieces(found))
        for block, idf in zip(blocks, self.idf, strict=True):
            here, which, counts = np.unique(block[0], return_inverse=True, return_counts=True)
            weighted = (1.0 + np.log(counts)) * idf[here]
            length = float(np.sqrt((weighted**2).sum()))
            columns.append(here + offset)
            values.append(weighted / length if length else weighted)
            stands.append(np.stack([which + seen, counts[which], block[1], block[2]]))
            offset += len(idf)
            seen += len(here)
        where = Places(*np.concatenate(stands, axis=1))
        return Look(
            cleaned=cleaned,
            words=telling(found),
            columns=np.concatenate(columns),
            values=np.concatenate(values),
            stands=where,
            anything=says_something(cleaned.text, found),
        )

    @property
    def size(self) -> int:
        return sum(len(block) for block in self.blocks)

    def _pieces(self, found: Sequence[features.Token]) -> Found:
        """The same words come again and again, so what is known of one is looked up once."""
        if len(self._of_words) > _WORDS_KEPT:
            self._of_words.clear()
        runs = [token for token in found if token.cjk]
        there = [_found(self.blocks[1], features.char_features(runs))]
        starts = [0]
        for token in found:
            if token.cjk or token.text in features.PLACEHOLDERS:
                continue
            of_word = self._of_words.get(token.text)
            if of_word is None:
                of_word = _found(self.blocks[1], features.pieces_of(token.text))
                self._of_words[token.text] = of_word
            there.append(of_word)
            starts.append(token.start)
        joined = np.concatenate(there, axis=1)
        joined[1:] += np.repeat(starts, [part.shape[1] for part in there])
        return joined


def _found(block: Mapping[str, int], read: features.Features) -> Found:
    column = np.array([block.get(name, -1) for name in read.names], dtype=np.intp)
    known = np.flatnonzero(column >= 0)
    return np.stack([column, np.array(read.starts), np.array(read.ends)]).astype(np.intp)[:, known]
