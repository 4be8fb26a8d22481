"""The models' own rules as CEL, so that the API server refuses what the models would, in the same words: a table by
model, no evaluation. What CEL cannot see (a regular expression's soundness, a load's sums) stays with the models.

Kubernetes: "Validation rules" in the documentation of CustomResourceDefinitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.domain.experiment.spec import NAME


@dataclass(frozen=True)
class Rule:
    """A CEL expression that must hold, and what is said otherwise: the rule and the fix, in one line. at: the field
    that it is about, such as ".variants"."""

    cel: str
    message: str
    at: str = ""

    def document(self) -> dict[str, Any]:
        """As it stands in a schema."""
        found = {"rule": self.cel, "message": self.message}
        return {**found, "fieldPath": self.at} if self.at else found


def keys_rule(pattern: str) -> dict[str, Any]:
    """The rule for the keys of a map."""
    cel = "self.all(key, key.matches(r'''" + pattern + "'''))"
    return Rule(cel, f"a key does not match {pattern}: rename it").document()


def name_rule() -> Rule:
    """Of every resource: its name is part of other names and a value of labels."""
    return Rule(
        f"self.metadata.name.matches(r'{NAME}')",
        "metadata.name must be a DNS label: small letters, digits and '-', at most 63 characters, no '.'",
    )


def _seconds(field: str) -> str:
    """Seconds of a duration that CEL can read (it knows no days), else -1."""
    own = f"self.{field}"
    text = f"string({own})"
    return f"(type({own}) == int ? int({own}) : ({text}.contains('d') ? -1 : int(duration({text}).getSeconds())))"


def _longer(more: str, less: str) -> str:
    return f"{_seconds(more)} == -1 || {_seconds(less)} == -1 || {_seconds(more)} >= {_seconds(less)}"


def _one_of(*fields: str) -> str:
    return "[" + ", ".join(f"has(self.{field})" for field in fields) + "].filter(given, given).size() == 1"


def _same(*fields: str) -> str:
    return " && ".join(f"self.{field} == oldSelf.{field}" for field in fields)


_DISTINCT = (
    "self.critical.all(one, !has(one.id) || one.id == ''"
    " || self.critical.exists_one(two, has(two.id) && two.id == one.id))"
)

RULES: dict[str, tuple[Rule, ...]] = {
    "PhoenixProcessPipelineSpec": (
        Rule("has(self.config) != (self.variants.size() > 0)", "give either variants or config, and not both"),
        Rule(
            "!has(self.config) || self.critical.size() == 0",
            "critical belongs to variants; a config of your own says it itself: leave critical out",
            ".critical",
        ),
        Rule(
            "self.variants.size() != 1 || self.variants[0].name == 'deployed'",
            "a variant alone is named deployed: leave its name out, or add the other of baseline and candidate",
            ".variants",
        ),
        Rule(
            "self.variants.size() != 2 || (self.variants.exists(v, v.name == 'baseline')"
            " && self.variants.exists(v, v.name == 'candidate'))",
            "two variants are named baseline and candidate: name them so",
            ".variants",
        ),
        Rule(_DISTINCT, "two critical patterns have the same id; give each its own id", ".critical"),
    ),
    "CriticalPattern": (
        Rule(_one_of("name", "commandLine", "owner"), "give exactly one of name, commandLine and owner"),
    ),
    "Toleration": (
        Rule(
            "self.operator != 'Exists' || self.value == ''",
            "a toleration with operator Exists takes any value: leave value out, or write operator: Equal",
            ".value",
        ),
        Rule(
            "!has(self.tolerationSeconds) || self.effect == 'NoExecute'",
            "tolerationSeconds belongs to effect NoExecute: write it, or leave tolerationSeconds out",
            ".tolerationSeconds",
        ),
        Rule("self.key != '' || self.operator == 'Exists'", "a toleration without key needs operator: Exists", ".key"),
    ),
    "LoadSimulationJobSpec": (
        Rule(
            _same("load", "nodeNames", "nodeSelector", "tolerations", "resources", "image"),
            "only stopped may change while the job exists: delete it and create another for another load",
        ),
    ),
    "LoadSpec": (
        Rule(
            "(self.profile == 'stages') == (has(self.stages) && self.stages.size() > 0)",
            "profile stages needs at least one of stages, and no other profile has any",
            ".stages",
        ),
        Rule(
            "self.profile != 'custom' || (has(self.groups) && self.groups.size() > 0)",
            "profile custom needs at least one of groups, such as {nameTemplate: 'phx-job-{n}'}",
            ".groups",
        ),
    ),
    "ExperimentSpec": (
        Rule(
            "self == oldSelf",
            "an experiment never changes while it exists: delete it and create another, with another name",
        ),
        Rule(
            "!has(self.canary) || self.layout == 'canary'",
            "canary divides hosts between the arms: write layout: canary, or leave canary out",
            ".canary",
        ),
        Rule(
            "self.mode != 'dedicated' || self.layout != 'canary'",
            "mode dedicated runs both arms on every host, and layout canary one: keep one of the two",
            ".mode",
        ),
        Rule(
            "!has(self.claim) || self.layout != 'canary' || self.claim == 'hosts-like-these'",
            "no host of a canary runs both arms: write claim: hosts-like-these, or leave claim out",
            ".claim",
        ),
        Rule(_DISTINCT, "two critical patterns have the same id; give each its own id", ".critical"),
    ),
    "Backend": (Rule(_one_of("otlp", "remoteWrite"), "give one address: otlp, or remoteWrite"),),
    "Targets": (
        Rule(
            "(self.hosts.size() > 0) != has(self.selector)",
            "name at least one host in hosts, or labels in selector.matchLabels, and not both",
        ),
    ),
    "Schedule": (
        Rule(
            _longer("maxDuration", "minDuration"),
            "maxDuration is shorter than minDuration: make it longer, or minDuration shorter",
            ".maxDuration",
        ),
    ),
}
"""Title of a model to its rules."""
