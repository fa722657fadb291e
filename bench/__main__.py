"""`python -m bench`: run it all, print the table and which aims were missed."""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import machine, run
from bench.rig import QUICK, Sizes
from bench.table import Table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts: no figures to quote")
    parser.add_argument(
        "--only", action="append", choices=run.PARTS, metavar="NAME", help=", ".join(run.PARTS)
    )
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    asked = parser.parse_args()
    kinds = ("sqlite", "postgres") if asked.database == "both" else (asked.database,)
    table = Table()
    with tempfile.TemporaryDirectory(prefix="setten-bench-") as folder:
        plan = run.Plan(QUICK if asked.quick else Sizes(), kinds, tuple(asked.only or run.PARTS))
        run.all_rows(table, plan, Path(folder))
    print("\n".join([*machine.lines(), "", *table.lines()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
