"""`setten` with its commits counted: `python -m bench.launcher FILE serve`."""

import sys
from pathlib import Path

from app.cli import main
from bench import counting

if __name__ == "__main__":
    counting.switch_on(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
