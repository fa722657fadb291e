"""The classifier of a worker: loaded when it is first needed, never in the way."""

import hashlib
import logging
import math
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple

from app.worker.answering import Gone
from classifier.contract import AnswersSeveral, Classifier, Prediction

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds filing waits for an answer …
MORE_PATIENCE = 0.25  # … and for each more that is asked at once
AGAIN = 30.0  # seconds until what could not be loaded is tried again
DEATHS = 2  # of the process, when a version is opened; then it is the version's fault
LOADS_WITHIN = 300.0  # seconds a job waits for the model


@dataclass(frozen=True, slots=True)
class Version:
    """A model as the database keeps it."""

    name: str
    weights: bytes
    card: bytes
    sha256: str


_GOES_ON = "the new version cannot be used; the one before goes on answering"
_NONE = "no classifier; tickets are filed without stage and topic"


class Asked(NamedTuple):
    text: str
    language: str


# What the model says, and what the one that is tried out would.
Answers = tuple[Prediction | None, Prediction | None]


class Triage:
    """Answers with a prediction, or with None when there is none to be had now."""

    def __init__(
        self,
        folder: Path,
        *,
        switched_on: bool,
        load: Callable[[Path], Classifier],
        load_own: Callable[[Path], Classifier],
        stop: Callable[[], None] = lambda: None,
        again: float = AGAIN,
    ) -> None:
        self.folder = folder
        self.switched_on = switched_on
        self.closed = False
        self.serving: tuple[str, str] = ("", "")  # names of what answers, and what silently does
        self._fetch, self._fetch_own, self._stop = load, load_own, stop
        self._versions: tuple[Version | None, Version | None] = (None, None)
        self._model: Classifier | None = None
        self._beside: Classifier | None = None
        self._loading: threading.Thread | None = None
        self._swapper: threading.Thread | None = None
        self._tried = threading.Event()  # the model is loaded, or never will be
        self._again = again
        self._again_at = math.inf  # when to try again what could not be loaded
        self._deaths: Counter[str] = Counter()  # how often opening a version ended the process
        self._lock, self._swapping = threading.Lock(), threading.Lock()
        self._news: SimpleQueue[tuple[str, bool]] = SimpleQueue()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="triage")

    @property
    def ready(self) -> bool:
        return self._model is not None

    @property
    def loading(self) -> bool:
        """Jobs wait for the model already: more of them would only wait, too."""
        return self._loading is not None and not self._tried.is_set()

    def warm(self) -> None:
        """Begin to load the model beside everything else, once."""
        with self._lock:
            if self.switched_on and self._loading is None:
                self._loading = threading.Thread(target=self._load, daemon=True, name="triage-load")
                self._loading.start()

    def _load(self) -> None:
        began = time.monotonic()
        if self._swap_safely():
            log.info("classifier ready", extra={"seconds": round(time.monotonic() - began, 1)})

    def serve(self, champion: Version | None, shadow: Version | None) -> None:
        """From now on these answer, as soon as they are loaded; None: the model of the samples."""
        self.serving = (champion.name if champion else "", shadow.name if shadow else "")
        self._versions = (champion, shadow)
        if self._loading is not None and not self.closed:
            self._swap_later()

    def _swap_later(self) -> None:
        self._swapper = threading.Thread(target=self._swap_safely, daemon=True, name="triage-swap")
        self._swapper.start()

    def news(self) -> Iterator[tuple[str, bool]]:
        """The versions that were to be read since this was asked last, and whether they could."""
        with suppress(Empty):
            while True:
                yield self._news.get_nowait()

    def settled(self, seconds: float) -> None:
        """Wait until what is to answer does."""
        if self._swapper is not None:
            self._swapper.join(seconds)

    def _swap_safely(self) -> bool:
        try:
            self._swap()
        except Gone:
            self._try_later()
            log.warning("the process in which models answer has ended while one was opened")
            return False
        except Exception:
            # Any failure: a broken model file must never stop mail from being filed.
            self._try_later()
            log.exception(_GOES_ON if self._model else _NONE)
            return False
        finally:
            self._tried.set()
        return True

    def _try_later(self) -> None:
        """What is short now, memory or processes, may be there again."""
        self._again_at = time.monotonic() + self._again

    def _swap(self) -> None:
        """Load what is to answer; what answers meanwhile is never half of each."""
        with self._swapping:
            champion, shadow = self._versions
            model = self.opened(champion) if champion else None
            self._model = model or self._fetch(self.folder)
            self._beside = self.opened(shadow) if shadow else None
            self._again_at = math.inf
        answering = champion.name if champion and model else "samples"
        log.info("a model answers", extra={"model": answering})

    def opened(self, version: Version) -> Classifier | None:
        """None when it cannot be used here, as after an update of what it was made with."""
        from classifier.storage import BadModel  # noqa: PLC0415 - see above

        try:
            if hashlib.sha256(version.weights).hexdigest() != version.sha256:
                raise BadModel("it is not what was stored")  # noqa: TRY301 - handled as any other
            found = _unpacked(version, self.folder / "own", self._fetch_own)
        except BadModel as problem:
            said = {"model": version.name, "reason": str(problem)}
            log.error("a version cannot be used", extra=said)  # noqa: TRY400 - a sentence says it
            self._news.put((version.name, False))
            return None
        except Gone:
            self._deaths[version.sha256] += 1
            if self._deaths[version.sha256] < DEATHS:
                raise
            said = {"model": version.name, "reason": "it ends the process that opens it"}
            log.error("a version cannot be used", extra=said)  # noqa: TRY400 - a sentence says it
            self._news.put((version.name, False))
            return None
        except Exception:
            # A version that is broken must never stop mail from being filed.
            log.exception("a version cannot be used", extra={"model": version.name})
            return None
        self._deaths.pop(version.sha256, None)
        self._news.put((version.name, True))
        return found

    def predict(self, text: str, *, language: str) -> Prediction | None:
        """None when switched off, not loaded yet, slow or broken: the ticket is filed anyway."""
        return self.predict_all([Asked(text, language)])[0][0]

    def predict_beside(self, text: str, *, language: str) -> Prediction | None:
        """What the version that is tried out would say; nobody waits long for it."""
        return self._ask(self._beside, [Asked(text, language)])[0]

    def predict_all(self, asked: Sequence[Asked]) -> Sequence[Answers]:
        """Of each text what answers says, and what the version that is tried out would."""
        model = self._model
        if model is None:
            self.warm()
        said = self._ask(model, asked)
        return list(zip(said, self._ask(self._beside, asked), strict=True))

    def _ask(self, model: Classifier | None, asked: Sequence[Asked]) -> Sequence[Prediction | None]:
        if model is not None and asked:
            patience = PATIENCE + MORE_PATIENCE * (len(asked) - 1)
            answers = None
            try:
                answers = self._pool.submit(_all, model, asked)
                return answers.result(patience)
            except TooSlow:
                if answers:
                    answers.cancel()  # or those that are waited for would come after it
                log.warning("classifier too slow")
            except Gone:
                self._open_again(model)
            except Exception:
                log.exception("classifier failed")
        return [None] * len(asked)

    def _open_again(self, gone: Classifier | None) -> None:
        """Its process has ended, and so has every model in it."""
        with self._lock:
            if self.closed or not self._tried.is_set() or gone not in (self._model, self._beside):
                return  # somebody else saw it first
            log.warning("the process in which models answer has ended; they are opened again")
            self._model = self._beside = None
            self._tried.clear()
            self._swap_later()

    def wait(self, text: str, *, language: str) -> Prediction | None:
        """The same for a job, which may wait until the model is loaded."""
        self.warm()
        if self._model is None and time.monotonic() >= self._again_at:
            self._open_again(None)
        if self._loading is not None:
            self._tried.wait(LOADS_WITHIN)
        model = self._model
        try:
            return model.predict(text, language=language) if model else None
        except Gone:
            self._open_again(model)
        except Exception:
            log.exception("classifier failed")
        return None

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._tried.set()
        self._stop()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _unpacked(version: Version, folder: Path, fetch: Callable[[Path], Classifier]) -> Classifier:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "model.npz"
        path.write_bytes(version.weights)
        path.with_suffix(".json").write_bytes(version.card)
        return fetch(path)


def _all(model: Classifier, asked: Sequence[Asked]) -> Sequence[Prediction]:
    if isinstance(model, AnswersSeveral):
        said = model.predict_all([one.text for one in asked], [one.language for one in asked])
        if [isinstance(one, Prediction) for one in said] != [True] * len(asked):
            raise TypeError("not one answer to each text")
        return said
    return [model.predict(one.text, language=one.language) for one in asked]
