"""The three CustomResourceDefinitions: names, columns, categories, subresources. Schemas are of `structural`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from chalicelib.domain.experiment.spec import ExperimentSpec
from chalicelib.domain.kubernetes import experiment_mirror, load_job, process_pipeline
from chalicelib.domain.kubernetes.crd.rules import name_rule
from chalicelib.domain.kubernetes.crd.structural import structural
from chalicelib.domain.kubernetes.experiment_mirror import ExperimentStatus
from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec, LoadSimulationJobStatus
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec, PhoenixProcessPipelineStatus
from chalicelib.domain.kubernetes.resource import GROUP, VERSION

CATEGORY = "phoenix"
Column = dict[str, Any]


def definitions() -> dict[str, dict[str, Any]]:
    """The CRDs as documents, by the plural of each."""
    return {
        process_pipeline.PLURAL: _definition(
            (process_pipeline.KIND, process_pipeline.PLURAL, process_pipeline.SHORT_NAMES),
            "One collector configuration on the nodes of a cluster, rolled out and watched by the operator.",
            (PhoenixProcessPipelineSpec, PhoenixProcessPipelineStatus),
            [
                _column("Pipeline", ".status.pipeline", "What the spec asks for."),
                _column("Desired", ".status.desiredNodes", "Nodes that shall have it.", kind="integer"),
                _column("Updated", ".status.updatedNodes", "Nodes whose collector is the new one.", kind="integer"),
                _column("Ready", ".status.readyNodes", "Nodes whose collector confirmed it.", kind="integer"),
                _column("Failed", ".status.failedNodes", "Nodes whose collector failed.", kind="integer"),
                _column("Status", _condition("Ready", "reason"), "Reason of the condition Ready."),
                _column("Applied", ".status.appliedConfigHash", "Hash of the applied configuration.", priority=1),
                _column("Message", _condition("Ready", "message"), "Message of the condition Ready.", priority=1),
            ],
        ),
        load_job.PLURAL: _definition(
            (load_job.KIND, load_job.PLURAL, load_job.SHORT_NAMES),
            "Simulated processes on nodes of a cluster; it ends by itself.",
            (LoadSimulationJobSpec, LoadSimulationJobStatus),
            [
                _column("Profile", ".spec.load.profile", "What is simulated."),
                _column("Phase", ".status.phase", "Where the run is."),
                _column("Running", ".status.running", "Processes alive now.", kind="integer"),
                _column("Asked", ".status.asked", "Processes asked for.", kind="integer", priority=1),
                _column("Ends", ".status.endsBy", "Unix seconds at which Kubernetes ends it.", kind="number"),
                _column("Reason", ".status.reason", "Why it ended, or what is wrong.", priority=1),
            ],
        ),
        experiment_mirror.PLURAL: _definition(
            (experiment_mirror.KIND, experiment_mirror.PLURAL, experiment_mirror.SHORT_NAMES),
            "An experiment of the control plane: the very file that `phoenix experiment create -f` takes.",
            (ExperimentSpec, ExperimentStatus),
            [
                _column("State", ".status.state", "State in the control plane."),
                _column("Verdict", ".status.verdict", "What was decided."),
                _column("Reduction", ".status.reduction", "Of series, with its interval."),
                _column("Retention", ".status.retention", "Of critical processes."),
                _column("Synced", _condition("Synced", "status"), "Whether the control plane follows.", priority=1),
                _column("Message", ".status.message", "Why it is as it is.", priority=1),
            ],
        ),
    }


def _definition(
    names: tuple[str, str, tuple[str, ...]],
    description: str,
    models: tuple[type[BaseModel], type[BaseModel]],
    columns: Sequence[Column],
) -> dict[str, Any]:
    kind, plural, short = names
    spec, status = models
    schema = {
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": kind},
            "metadata": {"type": "object"},
            "spec": structural(spec),
            "status": structural(status, defaults=False),
        },
        "x-kubernetes-validations": [name_rule().document()],
    }
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "labels": {"app.kubernetes.io/part-of": CATEGORY}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": list(short),
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [*columns, age],
                }
            ],
        },
    }


def _column(name: str, path: str, description: str, *, kind: str = "string", priority: int = 0) -> Column:
    return {"name": name, "type": kind, "jsonPath": path, "description": description, "priority": priority}


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'
