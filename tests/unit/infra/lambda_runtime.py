"""Run as a process in an unpacked package: finds handlers as Lambda's runtime does, invokes them, prints the answers.

Reads `{handler: event}` on stdin. No import of ours here: all of it has to come from the package.
"""

import importlib
import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    package = os.environ["LAMBDA_TASK_ROOT"]
    sys.path.insert(0, package)
    answers = {}
    for handler, event in json.load(sys.stdin).items():
        module, function = handler.rsplit(".", 1)
        answers[handler] = getattr(importlib.import_module(module), function)(event, None)
    settings = importlib.import_module("chalicelib.settings").Settings()
    pipelines = sorted(path.parent.name for path in Path(settings.catalog).glob("*/metadata.yaml"))
    inside = all(Path(sys.modules[name].__file__).is_relative_to(package) for name in ("app", "chalicelib.settings"))
    print(json.dumps({"answers": answers, "pipelines": pipelines, "from_the_package": inside}))
