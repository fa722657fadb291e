"""`python -m app.cli` is `setten`."""

import sys

from app.cli import main

sys.exit(main())
