"""The classifier in a worker: loaded when it is first needed, never in the way."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from pathlib import Path

from classifier.contract import Classifier, Prediction

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds filing waits for an answer
LOADS_WITHIN = 300.0  # seconds a job waits for the model


def by_meaning(folder: Path) -> Classifier:
    """With the encoder, or without where it cannot be used."""
    from classifier import train  # noqa: PLC0415 - numpy costs memory where nothing is asked

    return train.fit_default(folder)


def by_words(folder: Path) -> Classifier:
    from classifier import train  # noqa: PLC0415

    return train.fit_default(folder, "plain")


class Triage:
    """Answers with a prediction, or with None when there is none to be had now."""

    def __init__(
        self, folder: Path, *, switched_on: bool, load: Callable[[Path], Classifier] = by_meaning
    ) -> None:
        self.folder = folder
        self.switched_on = switched_on
        self.closed = False
        self._fetch = load
        self._model: Classifier | None = None
        self._loading: threading.Thread | None = None
        self._tried = threading.Event()  # the model is loaded, or never will be
        self._lock = threading.Lock()
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
        try:
            self._model = self._fetch(self.folder)
        except Exception:
            # Any failure: a broken model file must never stop mail from being filed.
            log.exception("no classifier; tickets are filed without stage and topic")
            return
        finally:
            self._tried.set()
        log.info("classifier ready", extra={"seconds": round(time.monotonic() - began, 1)})

    def predict(self, text: str, *, language: str) -> Prediction | None:
        """None when switched off, not loaded yet, slow or broken: the ticket is filed anyway."""
        model = self._model
        if model is None:
            self.warm()
            return None
        try:
            return self._pool.submit(model.predict, text, language=language).result(PATIENCE)
        except TooSlow:
            log.warning("classifier too slow")
        except Exception:
            log.exception("classifier failed")
        return None

    def wait(self, text: str, *, language: str) -> Prediction | None:
        """The same for a job, which may wait until the model is loaded."""
        self.warm()
        if self._loading is not None:
            self._tried.wait(LOADS_WITHIN)
        try:
            return self._model.predict(text, language=language) if self._model else None
        except Exception:
            log.exception("classifier failed")
            return None

    def close(self) -> None:
        self.closed = True
        self._tried.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
