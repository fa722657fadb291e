"""What an inquiry can be beside its stage and topic: urgent, or a complaint."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.encoders import Vectors
from classifier.vocabulary import Look

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Flag:
    """One thing an inquiry can be. It is said only where it was right often enough."""

    sparse: NDArray[np.float16]
    dense: Vectors
    bias: float
    mark: float  # what one of its words in the text counts, see `alarms`
    limits: Mapping[str, float]  # by language, "" for the rest: how likely it must be to be said
    trusted: frozenset[str] = frozenset()  # languages in which people have said enough of it

    def pushes(self, look: Look) -> Floats:
        """What each feature adds to the score."""
        result: Floats = look.values * self.sparse[look.columns].astype(np.float64)
        return result

    def probability(self, pushes: Floats, vector: Vectors, *, marked: bool) -> float:
        score = float(pushes.sum() + vector @ self.dense + self.bias + marked * self.mark)
        return float(1.0 / (1.0 + np.exp(-np.clip(score, -50.0, 50.0))))

    def limit(self, language: str) -> float:
        return self.limits.get(language, self.limits[""])
