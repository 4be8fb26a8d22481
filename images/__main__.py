"""`python -m images [collector|operator ...] [--to FOLDER]`: make the images; prints reference and archive of each."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from chalicelib.domain.errors import PhoenixError
from images.build import built
from images.contents import KINDS, ROOT
from images.interpreter import LibraryMissing
from images.packages import PackageMissing
from phoenix_cli.binaries.progress import progress_report


def main(arguments: list[str]) -> int:
    """1 when an image cannot be made, 2 when it is called wrongly."""
    parser = argparse.ArgumentParser(prog="python -m images", description="Make the container images of Phoenix.")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"{' or '.join(KINDS)}; all when none is named")
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="folder of the archives (default: dist)")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.images) - set(KINDS)):
        parser.error(f"no image is called {', '.join(unknown)}; there are {' and '.join(KINDS)}")
    try:
        chosen.to.mkdir(parents=True, exist_ok=True)
        for kind in chosen.images or KINDS:
            with progress_report(os.environ, sys.stderr) as report:
                ref, archive = built(kind, os.environ, report)
            place = chosen.to / f"phoenix-{kind}.tar"
            shutil.copy(archive, place)
            print(f"{ref} {place}")
    except PhoenixError as e:
        print(f"images: {e.detail}\n  {e.hint}", file=sys.stderr)
        return 1
    except (OSError, subprocess.CalledProcessError, PackageMissing, LibraryMissing) as e:
        print(f"images: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
