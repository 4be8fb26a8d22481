"""A user's own complete configuration, made observable: our telemetry push joins it, its pipelines stay as they are.

What a configuration must not hold when it passes through Phoenix (secrets in clear text, references that read files or
addresses, the host's own token) is refused here, all at once.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.pipeline.masking import MAX_DEPTH, holds_credential, is_secret_entry
from chalicelib.domain.pipeline.references import Path, find_references, pointer, reference_problems
from chalicelib.domain.pipeline.request import TOKEN_VARIABLE, Kpi
from chalicelib.domain.pipeline.telemetry import identity, reader

_INTERVAL_S = 10.0
MAX_PROBLEMS = 20


def instrument(config: Mapping[str, Any], kpi: Kpi) -> dict[str, Any]:
    """The configuration with our scope, host and telemetry push; receivers, processors, exporters and pipelines are
    not touched. Raises InvalidInput with JSON pointers into the configuration."""
    if problems := check_own_config(config):
        raise InvalidInput("this collector configuration cannot be deployed", problems=tuple(problems[:MAX_PROBLEMS]))
    out: dict[str, Any] = copy.deepcopy(dict(config))
    telemetry = _mapping(out["service"], "telemetry")
    telemetry["resource"] = {**_inline(telemetry.get("resource")), **identity(kpi)}
    metrics = _mapping(telemetry, "metrics")
    metrics["level"] = "detailed"
    metrics["readers"] = [*(metrics.get("readers") or []), reader(kpi, _INTERVAL_S)]
    return out


def check_own_config(config: Mapping[str, Any]) -> list[Problem]:
    """Everything that keeps a user's own configuration from being deployed; empty when nothing does."""
    if too_deep(config):
        return [Problem("", f"nested deeper than {MAX_DEPTH} levels", "a collector configuration is flat")]
    return [*_shape(config), *_secrets(config, ()), *reference_problems(config), *_token(config)]


def secrets_in_clear_text(config: Mapping[str, Any]) -> list[Problem]:
    """One problem for each secret that stands in the configuration itself."""
    return list(_secrets(config, ()))


def uses_host_token(config: Mapping[str, Any]) -> list[Problem]:
    """One problem for each reference to the host's own credential."""
    return _token(config)


def too_deep(tree: Any, depth: int = 0) -> bool:
    """Whether a tree is nested deeper than any configuration; checked before anything walks it."""
    if depth > MAX_DEPTH:
        return True
    if isinstance(tree, Mapping):
        return any(too_deep(value, depth + 1) for value in tree.values())
    return isinstance(tree, (list, tuple)) and any(too_deep(value, depth + 1) for value in tree)


def _shape(config: Mapping[str, Any]) -> Iterator[Problem]:
    for section in ("receivers", "exporters"):
        if not isinstance(config.get(section), Mapping) or not config[section]:
            yield Problem(f"/{section}", "missing or empty", f"a collector configuration has {section}")
    service = config.get("service")
    if not isinstance(service, Mapping) or not isinstance(service.get("pipelines"), Mapping):
        yield Problem("/service/pipelines", "missing", "a collector configuration has service.pipelines")
        return
    telemetry = service.get("telemetry")
    if telemetry is not None and not isinstance(telemetry, Mapping):
        yield Problem("/service/telemetry", "not a mapping", "leave it out, or give a mapping")
        return
    metrics = (telemetry or {}).get("metrics")
    if metrics is not None and not isinstance(metrics, Mapping):
        yield Problem("/service/telemetry/metrics", "not a mapping", "leave it out, or give a mapping")
    elif not isinstance((metrics or {}).get("readers") or [], list):
        yield Problem("/service/telemetry/metrics/readers", "not a list", "leave it out, or give a list")


def _secrets(tree: Any, path: Path, in_list: bool = False) -> Iterator[Problem]:
    """Values in clear text under a name that says secret, headers that carry credentials, and texts that look like
    credentials whatever their name."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            here = (*path, str(key))
            if is_secret_entry(tree, str(key), in_list=in_list) and _is_clear(value):
                yield _clear_text(here)
            else:
                yield from _secrets(value, here)
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _secrets(value, (*path, index), in_list=True)
    elif isinstance(tree, str) and holds_credential(tree):
        yield _clear_text(path)


def _is_clear(value: Any) -> bool:
    """A scalar that holds more than a reference; a default inside a reference is clear text, too."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        return False
    return "${" not in str(value) or ":-" in str(value)


def _clear_text(path: Path) -> Problem:
    return Problem(
        pointer(path), "a secret in clear text", "put it into the host's environment and refer to it as ${env:NAME}"
    )


def _token(config: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(pointer(path), f"{TOKEN_VARIABLE} is the host's own credential", "use another variable")
        for path, inner in find_references(config)
        if TOKEN_VARIABLE in inner
    ]


def _mapping(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under a key, made when it is missing or null."""
    if parent.get(key) is None:
        parent[key] = {}
    child: dict[str, Any] = parent[key]
    return child


def _inline(resource: Any) -> dict[str, Any]:
    """Telemetry resource attributes as the inline map (see telemetry.identity), also when written as a list."""
    if not isinstance(resource, Mapping):
        return {}
    listed = resource.get("attributes")
    pairs = listed if isinstance(listed, list) else []
    named = {str(item["name"]): item.get("value") for item in pairs if isinstance(item, Mapping) and "name" in item}
    return {**{key: value for key, value in resource.items() if key != "attributes"}, **named}
