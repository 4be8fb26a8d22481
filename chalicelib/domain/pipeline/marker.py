"""Recognising a configuration: a hash of its content, and a marker inside it that the running collector gives back."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.pipeline.kpi import RESOURCE_PROCESSOR

KEY = "phoenix.config"
SCOPE_KEY = "phoenix.scope"
_STAMPS = (KEY, SCOPE_KEY)
"""What a stamp sets. Neither belongs to the content: the same pipeline is the same content for every experiment and
every version of a deployment, so that what failed once is recognised, and what worked is found again."""
_HASH_DIGITS = 16
_MARKER = re.compile(r"[0-9a-f]{16}\.[0-9]{1,18}")


def content_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the configuration as canonical JSON; the same with any marker and scope, and without."""
    return hashlib.sha256(canonical(config).encode()).hexdigest()


def canonical(config: Mapping[str, Any]) -> str:
    """The text that `content_hash` hashes."""
    # Through JSON and back: a tenth of what a deep copy takes, and a thousand hosts have a thousand of them.
    bare = json.loads(json.dumps(dict(config), allow_nan=False))
    _remove(bare)
    return json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def stamp(config: Mapping[str, Any], revision: int, scope: str = "") -> tuple[dict[str, Any], str]:
    """The configuration with its marker "<16 digits of the content hash>.<revision>", and the marker.

    The marker goes to the collector's own telemetry and, when there is a counting branch, onto the counts. A new
    revision of the same content is a new marker: what a failed configuration needs to be tried again. scope: whose
    measurements its counts are from now on, where the configuration reports any; "" leaves it as it is.
    """
    if revision < 0:
        raise ValueError("a revision is a count from 0")
    value = f"{content_hash(config)[:_HASH_DIGITS]}.{revision}"
    out = copy.deepcopy(dict(config))
    old_scope = _scope(out)
    _remove(out)
    resource = out.setdefault("service", {}).setdefault("telemetry", {}).setdefault("resource", {})
    counts = _count_attributes(out)
    stamps = {KEY: value} | ({SCOPE_KEY: scope or old_scope} if old_scope else {})
    for key, text in stamps.items():
        if isinstance(resource.get("attributes"), list):
            resource["attributes"].append({"name": key, "value": text})
        else:
            resource[key] = text
        if counts is not None:
            counts.append({"key": key, "value": text, "action": "upsert"})
    return out, value


def _scope(config: Mapping[str, Any]) -> str:
    """The scope that a configuration reports under, "" when it reports nothing."""
    resource = _at(config, "service", "telemetry", "resource") or {}
    found = resource.get(SCOPE_KEY)
    if found is None and isinstance(resource.get("attributes"), list):
        named = [a for a in resource["attributes"] if isinstance(a, Mapping) and a.get("name") == SCOPE_KEY]
        found = named[0].get("value") if named else None
    return str(found or "")


def find_marker(effective_config: Mapping[str, Any]) -> str | None:
    """The marker in a configuration that a collector reports as running, or None when there is none of ours."""
    resource = _at(effective_config, "service", "telemetry", "resource")
    if resource is None:
        return None
    value = resource.get(KEY)
    if value is None and isinstance(resource.get("attributes"), list):
        named = [item for item in resource["attributes"] if isinstance(item, Mapping) and item.get("name") == KEY]
        value = named[0].get("value") if named else None
    return value if isinstance(value, str) and _MARKER.fullmatch(value) else None


def _remove(config: dict[str, Any]) -> None:
    resource = _at(config, "service", "telemetry", "resource")
    if resource is not None:
        for key in _STAMPS:
            resource.pop(key, None)
        if isinstance(resource.get("attributes"), list):
            resource["attributes"] = [item for item in resource["attributes"] if not _stamped(item, "name")]
    counts = _count_attributes(config)
    if counts is not None:
        counts[:] = [item for item in counts if not _stamped(item, "key")]
    _drop_empty_resource(config)


def _stamped(item: Any, name: str) -> bool:
    return isinstance(item, Mapping) and item.get(name) in _STAMPS


def _drop_empty_resource(config: dict[str, Any]) -> None:
    """Stamping makes the way to the resource; hashing must not see what only the stamp made."""
    telemetry = _at(config, "service", "telemetry")
    if telemetry is not None and telemetry.get("resource") == {}:
        del telemetry["resource"]
    service = _at(config, "service")
    if service is not None and service.get("telemetry") == {}:
        del service["telemetry"]


def _count_attributes(config: Mapping[str, Any]) -> list[Any] | None:
    processor = _at(config, "processors", RESOURCE_PROCESSOR)
    attributes = processor.get("attributes") if processor is not None else None
    return attributes if isinstance(attributes, list) else None


def _at(config: Mapping[str, Any], *path: str) -> Any:
    """The mapping at a path, or None when something on the way is no mapping."""
    here: Any = config
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else None
