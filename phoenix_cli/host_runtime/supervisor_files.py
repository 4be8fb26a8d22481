"""The files with which the stock supervisor and collector start on this host. Pure: values in, text out.

Three decisions live here, each found by running the real binaries:
- The supervisor starts the collector through a short shell script. The script puts a file of defaults *before* the
  supervisor's own `--config`, so that self-metrics listen on a port of the kernel's choice until the offered
  configuration says otherwise. (Bootstrap would else contend for port 8888; `--set` in `agent.args` would override
  what is offered; `readers: []` is refused.)
- The script sends the collector's error output to a named pipe of ours. Through the supervisor the last lines of a
  collector that ends at once get lost now and then, and those are the lines that say why.
- It first writes which configuration (marker) is being started, so that an error is attributed without a race; and how
  many collectors that configuration asks for (second.py). A start without a marker, in bootstrap, asks for nothing.
"""

from __future__ import annotations

import shlex

import yaml

from chalicelib.domain.pipeline.telemetry import COLLECTORS_KEY
from phoenix_cli.host_runtime.config import TOKEN_VARIABLE, HostConfig

BOOTSTRAP_SECONDS = 30
APPLY_SECONDS = 15  # Must exceed the 10 s that the supervisor gives a collector to stop, else a good config "fails".
MARKER_KEY = "phoenix.config"
START_PREFIX = "phoenix-start "
COLLECTORS_PREFIX = "phoenix-collectors "


def supervisor_yaml(config: HostConfig) -> str:
    """The supervisor's configuration. The token appears in it only as a reference to the environment."""
    files = config.files
    attributes = {
        "phoenix.host": config.host,
        "phoenix.labels": ",".join(f"{key}={value}" for key, value in sorted(config.labels.items())),
        "phoenix.poll": str(config.poll_seconds),
    }
    document = {
        "server": {
            "endpoint": _literal(config.opamp_url),
            "headers": {"Authorization": f"Bearer ${{env:{TOKEN_VARIABLE}}}"},
        },
        "capabilities": {
            "accepts_remote_config": True,
            "reports_remote_config": True,
            "accepts_restart_command": True,
            "reports_available_components": True,
        },
        "agent": {
            "executable": _literal(str(files.collector_start)),
            "passthrough_logs": True,
            "bootstrap_timeout": f"{BOOTSTRAP_SECONDS}s",
            "config_apply_timeout": f"{APPLY_SECONDS}s",
            "description": {"non_identifying_attributes": {k: _literal(v) for k, v in attributes.items()}},
        },
        "storage": {"directory": _literal(str(files.storage))},
        "telemetry": {"logs": {"level": "info", "output_paths": ["stdout"]}},
    }
    return yaml.safe_dump(document, sort_keys=False)


def collector_defaults() -> str:
    """What holds until an offered configuration says otherwise; its lists replace these."""
    reader = {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": 0}}}}
    return yaml.safe_dump({"service": {"telemetry": {"metrics": {"readers": [reader]}}}})


def collector_start(config: HostConfig) -> str:
    """The script that the supervisor takes for the collector; it becomes the collector by exec."""
    files = config.files
    collector, defaults, errors = (
        shlex.quote(str(path)) for path in (config.collector, files.collector_defaults, files.collector_errors)
    )
    return f"""#!/bin/sh
# Written at each start of the host runtime; see phoenix_cli/host_runtime/supervisor_files.py for the reasons.
[ "$1" = "--config" ] || exec {collector} "$@"
exec 2>{errors}
marker=$(sed -n '{_value_of(MARKER_KEY)}' "$2")
printf '{START_PREFIX}%s\\n' "$marker" >&2
[ -z "$marker" ] || printf '{COLLECTORS_PREFIX}%s\\n' "$(sed -n '{_value_of(COLLECTORS_KEY)}' "$2")" >&2
exec {collector} --config {defaults} "$@"
"""


def _value_of(key: str) -> str:
    """A sed script that prints the value of the first line with this key, and nothing when there is none."""
    return f"/^ *{key.replace('.', '[.]')}: /{{s///p;q;}}"


def _literal(text: str) -> str:
    """The supervisor expands `$` in its configuration; doubled, it stays what it is."""
    return text.replace("$", "$$")
