"""`python -m operators`: the operator as a process. See operators.runtime.main."""

from __future__ import annotations

import sys

from operators.runtime.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
