"""Resources that are right, and resources that break one rule each: for the models, and for a real API server."""

from __future__ import annotations

from typing import Any

import yaml

from chalicelib.domain.kubernetes.resource import API_VERSION
from chalicelib.settings import ROOT

PIPELINE, LOAD, EXPERIMENT = "PhoenixProcessPipeline", "LoadSimulationJob", "Experiment"
_PATTERN = {"name": "^nginx$"}
_ARMS = {"baseline": {"pipeline": "a"}, "candidate": {"pipeline": "b"}, "critical": [_PATTERN]}
_HOSTS = {**_ARMS, "targets": {"hosts": ["a", "b", "c", "d", "e", "f"]}}
_ALONE = {"variants": [{"pipeline": "process-topk-v1"}]}


def resource(kind: str, spec: dict[str, Any], name: str = "tried") -> dict[str, Any]:
    """The whole document."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def templates() -> dict[str, dict[str, Any]]:
    """The experiments of `phoenix experiment init`, filled in."""
    found = {}
    for path in sorted((ROOT / "phoenix_cli" / "experiment_templates").glob("*.yaml")):
        text = path.read_text("utf-8")
        for name, value in (
            ("name", path.stem),
            ("baseline", "process-baseline-v1"),
            ("candidate", "process-topk-v1"),
            ("targets", "{selector: {matchLabels: {role: web}}}"),
            ("critical", "[{name: ^nginx$}]"),
        ):
            text = text.replace(f"${name}", value)
        found[path.stem] = yaml.safe_load(text)
    return found


RIGHT: dict[str, tuple[str, dict[str, Any]]] = {
    "one pipeline": (PIPELINE, _ALONE),
    "a shared A/B": (
        PIPELINE,
        {
            "variants": [
                {"pipeline": "process-baseline-v1", "name": "baseline"},
                {
                    "pipeline": "process-topk-v1",
                    "name": "candidate",
                    "parameters": {"k": 20, "names": ["a"], "on": True, "share": 0.5},
                    "version": 3,
                    "backend": {
                        "url": {"name": "backend", "key": "url"},
                        "headers": {"X-A": {"name": "s", "key": "k"}},
                    },
                },
            ],
            "critical": [_PATTERN, {"commandLine": "postgres", "id": "db"}, {"owner": "www-data"}],
            "interval": "1m30s",
            "kpi": {"secretRef": {"name": "phoenix-cluster"}, "scope": "abc"},
            "environment": [{"name": "phoenix-environment"}],
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "nodeNames": ["node-1.example"],
            "tolerations": [{"operator": "Exists"}],
            "rollout": {"maxSurge": "10%", "progressDeadline": "5m"},
        },
    ),
    "own configuration": (PIPELINE, {"config": {"receivers": {"x": None, "h": {"a": [1, 2.5, None]}}}, "variants": []}),
    "a load": (LOAD, {"load": {"profile": "process-churn", "count": 50, "startsPerSecond": 12.5, "durationS": "90s"}}),
    "a load of one's own": (
        LOAD,
        {
            "load": {
                "profile": "custom",
                "critical": 0,
                "restartsPerMinute": 0,
                "busy": 0,
                "groups": [
                    {
                        "nameTemplate": "phx-{word}-{n}",
                        "count": 3,
                        "cpuPattern": "sine",
                        "cpuShare": "2%",
                        "memory": "4MiB",
                        "lifetime": "500ms",
                    }
                ],
            },
            "nodeNames": ["node-1"],
        },
    ),
    "a load in stages": (
        LOAD,
        {"load": {"profile": "stages", "busy": 0, "stages": [{"name": "calm", "lasts": "30s", "count": 50}]}},
    ),
    "an experiment with everything": (
        EXPERIMENT,
        {
            **_HOSTS,
            "baseline": {"pipeline": "a", "backend": {"otlp": "https://b.example/v1/metrics"}},
            "candidate": {
                "pipeline": "b",
                "version": "1.0.0",
                "backend": {"remoteWrite": "https://b.example/w", "headers": {"Authorization": "${env:TOKEN}"}},
            },
            "schedule": {"warmUp": 60, "minDuration": "5m", "maxDuration": "1d"},
            "success": {"seriesReduction": {"atLeast": "50%"}, "bytesReduction": {"atLeast": 0.25}},
            "guardrails": {
                "criticalRetention": {"atLeast": "100%"},
                "collectorCpu": {"atMost": "5%", "severity": "warn"},
                "collectorMemory": {"atMost": "150MiB"},
                "scrapeDuration": {"atMost": "500ms"},
                "coverage": {"atLeast": "95%"},
            },
            "rollout": {"stages": ["10%", 0.5, 1], "soak": "30s"},
            "source": {"prometheus": {"url": "http://prometheus:9090"}, "use": "check"},
            "load": {"profile": "realistic"},
        },
    ),
    "a source in a word": (EXPERIMENT, {**_HOSTS, "source": "measurements"}),
    **{f"template {name}": (EXPERIMENT, found["spec"]) for name, found in templates().items()},
}

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing to run": (PIPELINE, {}, "give either variants or config"),
    "two sources": (PIPELINE, {**_ALONE, "config": {"a": {}}}, "give either variants or config"),
    "config and critical": (PIPELINE, {"config": {"a": {}}, "critical": [_PATTERN]}, "critical belongs to variants"),
    "a candidate alone": (PIPELINE, {"variants": [{"pipeline": "a", "name": "candidate"}]}, "alone is named deployed"),
    "two deployed": (PIPELINE, {"variants": [{"pipeline": "a"}, {"pipeline": "b"}]}, "named baseline and candidate"),
    "one id twice": (
        PIPELINE,
        {**_ALONE, "critical": [{"name": "a", "id": "x"}, {"name": "b", "id": "x"}]},
        "give each its own id",
    ),
    "a pattern of two kinds": (
        PIPELINE,
        {**_ALONE, "critical": [{"name": "a", "owner": "b"}]},
        "exactly one of name, commandLine and owner",
    ),
    "a pattern of nothing": (PIPELINE, {**_ALONE, "critical": [{"id": "a"}]}, "exactly one of name, commandLine"),
    "a key that is no label": (PIPELINE, {**_ALONE, "nodeSelector": {"-a": "b"}}, "a key does not match"),
    "a toleration of nothing": (PIPELINE, {**_ALONE, "tolerations": [{"value": "a"}]}, "needs operator: Exists"),
    "a value that exists": (
        PIPELINE,
        {**_ALONE, "tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        "leave value out",
    ),
    "seconds of no effect": (
        PIPELINE,
        {**_ALONE, "tolerations": [{"key": "a", "tolerationSeconds": 5}]},
        "belongs to effect NoExecute",
    ),
    "no surge": (PIPELINE, {**_ALONE, "rollout": {"maxSurge": 0}}, "spec.rollout.maxSurge"),
    "ready at once": (PIPELINE, {**_ALONE, "rollout": {"minReadySeconds": 2}}, "spec.rollout.minReadySeconds"),
    "an interval in words": (PIPELINE, {**_ALONE, "interval": "soon"}, "spec.interval"),
    "custom without groups": (LOAD, {"load": {"profile": "custom"}}, "profile custom needs at least one of groups"),
    "stages without stages": (LOAD, {"load": {"profile": "stages", "busy": 0}}, "profile stages needs at least one"),
    "a name of a real service": (
        LOAD,
        {"load": {"profile": "custom", "groups": [{"nameTemplate": "nginx-{n}"}]}},
        "nameTemplate",
    ),
    "a day and more": (LOAD, {"load": {"durationS": 90_000}}, "spec.load.durationS"),
    "no host": (EXPERIMENT, {**_ARMS, "targets": {}}, "name at least one host in hosts, or labels"),
    "hosts and labels": (
        EXPERIMENT,
        {**_ARMS, "targets": {"hosts": ["a"], "selector": {"matchLabels": {"a": "b"}}}},
        "name at least one host in hosts, or labels",
    ),
    "ends before it may": (
        EXPERIMENT,
        {**_HOSTS, "schedule": {"minDuration": "10m", "maxDuration": 300}},
        "maxDuration is shorter than minDuration",
    ),
    "shorter than the default": (EXPERIMENT, {**_HOSTS, "schedule": {"minDuration": "2h"}}, "maxDuration is shorter"),
    "a canary in pairs": (
        EXPERIMENT,
        {**_HOSTS, "layout": "paired", "canary": {"share": "50%"}},
        "write layout: canary",
    ),
    "a canary of these hosts": (
        EXPERIMENT,
        {**_HOSTS, "layout": "canary", "claim": "these-hosts"},
        "write claim: hosts-like-these",
    ),
    "a canary of two collectors": (
        EXPERIMENT,
        {**_HOSTS, "layout": "canary", "mode": "dedicated"},
        "keep one of the two",
    ),
    "two addresses": (
        EXPERIMENT,
        {**_HOSTS, "baseline": {"pipeline": "a", "backend": {"otlp": "http://a", "remoteWrite": "http://b"}}},
        "give one address: otlp, or remoteWrite",
    ),
    "a header in plain words": (
        EXPERIMENT,
        {**_HOSTS, "baseline": {"pipeline": "a", "backend": {"otlp": "http://a", "headers": {"A": "secret"}}}},
        "headers",
    ),
    "retention relaxed": (EXPERIMENT, {**_HOSTS, "guardrails": {"criticalRetention": "99%"}}, "criticalRetention"),
    "a share of yes": (EXPERIMENT, {**_HOSTS, "success": {"seriesReduction": {"atLeast": True}}}, "atLeast"),
    "a share above all": (EXPERIMENT, {**_HOSTS, "success": {"seriesReduction": {"atLeast": 1.5}}}, "atLeast"),
}
"""Kind, spec, and what the API server's message has."""
