"""`python -m phoenix_cli.manifests.from_chart [HELM]`: render the plain manifests from the chart, so that there is one
source. A test of the cluster's suite fails while they are stale. Needs helm; nobody who uses the manifests does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from phoenix_cli.manifests.rendering import FOLDER

CHART = Path(__file__).resolve().parents[2] / "charts" / "phoenix"
SECONDS = 60.0
HEAD = (
    "# Rendered from charts/phoenix by `python -m phoenix_cli.manifests.from_chart`: change the chart, not this file.\n"
)
_NAMESPACE, _CLUSTER, _PORT = "namespace-placeholder", "cluster-placeholder", 64999
_PLACES = {
    "operator-placeholder:placeholder": "${operator_image}",
    "collector-placeholder:placeholder": "${collector_image}",
    _NAMESPACE: "${namespace}",
    _CLUSTER: "${cluster}",
    f"{_PORT}": "${control_plane_port}",
}
_SETTINGS = {
    "image.repository": "operator-placeholder",
    "image.tag": "placeholder",
    "collector.image.repository": "collector-placeholder",
    "collector.image.tag": "placeholder",
    "namespaces[0].name": _NAMESPACE,
    "namespaces[0].podSecurity": "privileged",
    "watch.namespaces[0]": _NAMESPACE,
    "controlPlane.cluster": _CLUSTER,
    "networkPolicy.controlPlane.ports[0]": str(_PORT),
}
"""Values of the chart. Ports and names that nobody has by accident stand for what is filled in."""
_HELMS_OWN = re.compile(r"^\s*(helm\.sh/\S+:.*|app\.kubernetes\.io/managed-by: Helm|# Source: .*)\n", re.MULTILINE)
_ALONE = re.compile(r": (\$\{(?:namespace|cluster)\})(?=[,}\n])")
"""Names may be digits, which would be no text in YAML."""
_EMPTY = re.compile(r"^\s*annotations:\n(?=\S)", re.MULTILINE)


def manifests(helm: str) -> Mapping[Path, str]:
    """The text of each file. Raises CalledProcessError with Helm's own words in stderr."""
    return {FOLDER / f"{mode}.yaml": _of(helm, mode) for mode in ("push", "pull")}


def _of(helm: str, mode: str) -> str:
    words = [helm, "template", "phoenix", str(CHART), "--namespace", _NAMESPACE, "--no-hooks", "--skip-tests"]
    for name, value in {**_SETTINGS, "controlPlane.mode": mode}.items():
        words += ["--set", f"{name}={value}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=True)
    text = _EMPTY.sub("", _HELMS_OWN.sub("", done.stdout.replace("$", "$$")))
    for placed, place in _PLACES.items():
        text = text.replace(placed, place)
    return HEAD + _ALONE.sub(r': "\1"', text)


def main(arguments: list[str]) -> int:
    """Write what has changed, and say so. 1 with Helm's words when it refuses."""
    try:
        found = manifests(arguments[0] if arguments else "helm")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr)
        return 1
    for path, text in found.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
