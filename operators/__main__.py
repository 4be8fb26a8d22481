"""`python -m operators`: the operator as a process (operators.runtime.main), or a command that runs once and ends
(operators.runtime.maintenance)."""

from __future__ import annotations

import os
import sys

from operators.runtime import maintenance

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in maintenance.COMMANDS:
        sys.exit(maintenance.main(sys.argv[1:], os.environ))
    from operators.runtime.main import main

    sys.exit(main(sys.argv[1:]))
