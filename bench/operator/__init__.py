"""`bench operator`: what an operator costs with a thousand PhoenixProcessPipelines on a real API server, Phoenix's
beside the least that client-go can do (`floor/`). Imported when it is asked for: it needs the test cluster's binaries.
"""

from bench.operator.measuring import run

__all__ = ["run"]
