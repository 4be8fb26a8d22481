"""`python -m phoenix_cli.binaries`: have both binaries ready and print where they are (for `make setup` and CI)."""

from __future__ import annotations

import os
import sys

from chalicelib.domain.errors import PhoenixError
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector, resolve_supervisor


def main() -> int:
    """Prints `collector PATH` and `supervisor PATH`; progress and errors go to the error output. 1 on failure."""
    try:
        with progress_report(os.environ, sys.stderr) as report:
            collector = resolve_collector(os.environ, report)
            supervisor = resolve_supervisor(os.environ, report)
    except PhoenixError as e:
        print(f"error: {e.detail}\n  {e.hint}" if e.hint else f"error: {e.detail}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing half-made is left", file=sys.stderr)
        return 130
    print(f"collector {collector}\nsupervisor {supervisor}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
