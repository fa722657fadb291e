"""What a process of its own that learns finds around it."""

import os
from pathlib import Path

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_ALONE = 131_072  # bytes; an array larger than this goes back to the system once it is free


def environment() -> dict[str, str]:
    """Our code, one thread, and no memory kept for later.

    The last is for the GNU C library; others do without. What one step of learning leaves would
    else lie between what the next one needs.
    """
    root = str(Path(__file__).parent.parent)
    known = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        **dict.fromkeys(_THREADS, "1"),
        "PYTHONPATH": os.pathsep.join([root, known]) if known else root,
        "MALLOC_MMAP_THRESHOLD_": str(_ALONE),
    }
