"""`python -m bench [NAME ...]`: runs benchmarks, prints their tables, writes bench/results/<name>.json. Parsing and
wiring only. Exit codes: 0 all measured, 1 one could not measure, 2 usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench.instruments.running import BenchFailed
from bench.registry import BENCHMARKS, RESULTS, Options, runner
from bench.report import Report
from chalicelib.domain.errors import PhoenixError

Measure = Callable[[str, Options], Report]


def main(arguments: list[str] | None = None, measure: Measure = lambda name, options: runner(name)(options)) -> int:
    """Run what was named, or all; one that fails does not keep the next from running."""
    given = _parser().parse_args(arguments)
    if given.list:
        width = max(map(len, BENCHMARKS))
        print("\n".join(f"{name:<{width}}  {summary}" for name, summary in BENCHMARKS.items()))
        return 0
    options = Options(given.quick, given.store, tuple(given.sizes), given.publish)
    try:
        return max([_one(name, options, measure, given.results) for name in given.names or BENCHMARKS])
    except KeyboardInterrupt:
        return 130


def _one(name: str, options: Options, measure: Measure, results: Path) -> int:
    print(f"{name}: {BENCHMARKS[name]} …", file=sys.stderr, flush=True)
    try:
        report = measure(name, options)
    except (BenchFailed, PhoenixError) as error:
        print(f"{name}: could not measure: {error}", file=sys.stderr)
        return 1
    print(report.text() + "\n", flush=True)
    report.write(results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, side by side, as tables")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help="default: all; see --list")
    parser.add_argument("--list", action="store_true", help="name the benchmarks and end")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: sooner done, more noise")
    parser.add_argument("--store", choices=("sqlite", "dynamodb"), default="sqlite", help="engine of `ingest`")
    parser.add_argument("--sizes", type=int, nargs="+", default=[], metavar="N", help="populations of `catalog`")
    parser.add_argument("--publish", action="store_true", help="`catalog` writes its pages after a partial run too")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
