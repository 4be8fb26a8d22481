"""What people may write in place of a number, and which fields have a form of their own in a CRD: tables, no code.

A structural schema knows "integer or string" and nothing else beside one plain type. A share is a number or a string,
which has no name there: its schema has no type, a bound for numbers (strings pass it), a pattern for strings (numbers
pass it), and refuses the rest by size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.domain.units import parse_bytes, parse_duration, parse_ratio

Schema = dict[str, Any]

INT_OR_STRING: Schema = {"x-kubernetes-int-or-string": True}
ANYTHING: Schema = {"x-kubernetes-preserve-unknown-fields": True}
"""No other way: a value of several types. What reads the resource checks it by the model."""
_NUMBER_OR_STRING: Schema = {**ANYTHING, "maxProperties": 0, "maxItems": 0, "not": {"enum": [True, False]}}

DURATION: Schema = {**INT_OR_STRING, "maxLength": 32, "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"}
BYTES: Schema = {**INT_OR_STRING, "maxLength": 32, "pattern": r"^[0-9]+(\.[0-9]+)?(B|KiB|MiB|GiB|kB|MB|GB)$"}
SHARE: Schema = {**_NUMBER_OR_STRING, "maxLength": 32, "pattern": r"^[0-9]+(\.[0-9]+)?%$"}

READERS: dict[Callable[[Any], Any], tuple[Schema, str]] = {
    parse_duration: (DURATION, 'Whole seconds, or a duration such as "15s", "1m30s" or "500ms".'),
    parse_bytes: (BYTES, 'Bytes, or a size such as "150MiB".'),
    parse_ratio: (SHARE, 'A share: a number from 0 to 1, or a percentage such as "50%".'),
}
"""Reader of a quantity (chalicelib.domain.units) to its form and the sentence that explains it."""

_VERSION: Schema = {**INT_OR_STRING, "minimum": 1, "maxLength": 64}
_SELECTOR: Schema = {
    "type": "object",
    "required": ["matchLabels"],
    "properties": {
        "matchLabels": {
            "type": "object",
            "description": "Labels that a host must have, all of them.",
            "minProperties": 1,
            "maxProperties": 32,
            "additionalProperties": {"type": "string", "maxLength": 253},
        }
    },
}
_RETENTION = {**ANYTHING, "minimum": 1, "maximum": 1, "pattern": r"^100(\.0+)?%$"}
"""100%, or the long form {atLeast: 100%, severity: rollback}."""

FIELDS: dict[tuple[str, str], Schema] = {
    ("Arm", "version"): _VERSION,
    ("PipelineVariant", "version"): _VERSION,
    ("CpuLimit", "atMost"): {**SHARE, "pattern": r"^ *[0-9]+(\.[0-9]+)? *%? *$"},
    ("Guardrails", "criticalRetention"): _RETENTION,
    ("ExperimentSpec", "source"): ANYTHING,
    ("Targets", "selector"): _SELECTOR,
    ("Targets", "hosts"): {"maxItems": 10_000},
    ("Backend", "headers"): {"maxProperties": 32},
    ("PipelineVariant", "parameters"): {"maxProperties": 64},
    ("Arm", "parameters"): {"maxProperties": 64},
    ("PhoenixProcessPipelineSpec", "config"): {**ANYTHING, "x-kubernetes-map-type": "atomic"},
    ("LoadGroup", "nameTemplate"): {
        "pattern": r"^phx-([a-z0-9-]|\{n\}|\{word\}|\{code\})*([a-z0-9]|\{n\}|\{word\}|\{code\})$"
    },
}
"""Model and field to what its schema has besides, or in place of, what the model's own says. A form that has no type
takes the place of the type."""

COMPUTED: frozenset[str] = frozenset(
    {
        "LoadSpec.*",
        "StageSpec.*",
        "Success.*",
        "CriticalPattern.id",
        "ExperimentSpec.claim",
        "ExperimentSpec.success",
        "ExperimentSpec.source",
        "ExperimentSpec.guardrails",
        "Guardrails.criticalRetention",
    }
)
"""Fields whose default follows from others (a load's from its profile, a claim from the layout): the API server must
not fill them in, or the model would take them for given."""
GIVEN: frozenset[str] = frozenset({"LoadSpec.profile"})
"""Exceptions of COMPUTED."""
MAP_LISTS: dict[tuple[str, str], str] = {
    ("PhoenixProcessPipelineStatus", "conditions"): "type",
    ("LoadSimulationJobStatus", "conditions"): "type",
    ("ExperimentStatus", "conditions"): "type",
}
"""Lists whose items are told apart by a key. All others are atomic: lists of nodes too, as the managed fields of a
thousand items of a map would take as much room in the object as the items."""
