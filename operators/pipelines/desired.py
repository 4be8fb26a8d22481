"""The objects that a pipeline needs: one immutable ConfigMap a form, and one DaemonSet. Pure.

A form is a configuration together with the pod that runs it. The ConfigMap holds both, so that a roll back needs
nothing but its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.kubernetes.exchange import HOST_VARIABLE
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec, RolloutPolicy
from chalicelib.domain.kubernetes.resource import MANAGED_BY, OPERATOR
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, Object
from operators.pipelines import names
from operators.pipelines.distinct import Finished, canonical, finished
from operators.pipelines.rendering import Rendered
from operators.pipelines.rollout import FormName

Tree = dict[str, Any]
NOBODY = 65534
CAPABILITIES = ["SYS_PTRACE", "DAC_READ_SEARCH"]
"""What a root without any other right needs for foreign processes' executable and disk I/O."""
CONFIG_FOLDER = "/etc/phoenix"
GRACE_S = 15
_PROBE = {"httpGet": {"path": "/metrics", "port": names.METRICS_PORT, "scheme": "HTTP"}, "timeoutSeconds": 5}


@dataclass(frozen=True)
class Settings:
    """What the operator brings. image: of collectors whose resource names none. pull_policy: imagePullPolicy."""

    image: str
    pull_policy: str = "IfNotPresent"


@dataclass(frozen=True)
class Form:
    """A configuration and the pod that runs it, ready to be applied."""

    config_hash: str
    form_hash: str
    config_map: str
    text: str
    """The whole configuration as YAML."""
    template: Tree
    """Of the pod, with its labels."""

    @property
    def name(self) -> FormName:
        """Which one it is."""
        return FormName(self.config_hash, self.form_hash, self.config_map)


def form_of(
    owner: Object,
    spec: PhoenixProcessPipelineSpec,
    rendered: Rendered,
    settings: Settings,
    finish: Callable[[Mapping[str, Any]], Finished] = finished,
) -> Form:
    """The form that a resource asks for. Raises what `finished` raises. finish: that, or its memory."""
    name = owner["metadata"]["name"]
    config = finish(rendered.config)
    pod = _pod_spec(spec, rendered, settings)
    form_hash = _sha256(f"[{config.canonical},{canonical(pod)}]")
    config_map = f"{name}-{form_hash[: names.FORM_DIGITS]}"
    pod["volumes"][0]["configMap"]["name"] = config_map
    template = {
        "metadata": {
            "labels": _labels(name) | {names.FORM: form_hash[: names.FORM_DIGITS]},
            "annotations": {names.CONFIG_HASH: config.config_hash},
        },
        "spec": pod,
    }
    return Form(config.config_hash, form_hash, config_map, config.text, template)


def config_map(owner: Object, form: Form) -> Tree:
    """The ConfigMap of a form."""
    return {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.kind,
        "metadata": {
            **_metadata(owner, form.config_map),
            "labels": _labels(owner["metadata"]["name"]) | {names.FORM: form.form_hash[: names.FORM_DIGITS]},
            "annotations": {names.CONFIG_HASH: form.config_hash, names.FORM_HASH: form.form_hash},
        },
        "immutable": True,
        "data": {
            names.CONFIG_KEY: form.text,
            names.TEMPLATE_KEY: canonical(form.template),
        },
    }


def form_in(stored: Object) -> Form | None:
    """The form that a ConfigMap of ours holds, or None when it does not hold one."""
    data, annotations = stored.get("data") or {}, stored["metadata"].get("annotations") or {}
    try:
        template = json.loads(data[names.TEMPLATE_KEY])
        return Form(
            config_hash=annotations[names.CONFIG_HASH],
            form_hash=annotations[names.FORM_HASH],
            config_map=stored["metadata"]["name"],
            text=str(data[names.CONFIG_KEY]),
            template=template,
        )
    except (KeyError, ValueError):
        return None


def daemon_set(owner: Object, policy: RolloutPolicy, form: Form) -> Tree:
    """The DaemonSet that runs a form. The old pod of a node goes on until the new one has been ready for long enough:
    with any unavailable node allowed, a broken configuration would leave nodes blind."""
    name = owner["metadata"]["name"]
    body: Tree = {
        "apiVersion": DAEMON_SET.api_version,
        "kind": DAEMON_SET.kind,
        "metadata": {
            **_metadata(owner, name),
            "labels": _labels(name),
            "annotations": {
                names.CONFIG_HASH: form.config_hash,
                names.FORM_HASH: form.form_hash,
                names.CONFIG_MAP_NAME: form.config_map,
            },
        },
        "spec": {
            "selector": {"matchLabels": {names.OWNER: name}},
            "minReadySeconds": policy.min_ready_seconds,
            "revisionHistoryLimit": 2,
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": policy.max_surge, "maxUnavailable": 0},
            },
            "template": form.template,
        },
    }
    body["metadata"]["annotations"][names.WHOLE_HASH] = _sha256(canonical(body))
    return body


def _metadata(owner: Object, name: str) -> Tree:
    reference = {
        "apiVersion": names.PIPELINE.api_version,
        "kind": names.PIPELINE.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"name": name, "namespace": owner["metadata"]["namespace"], "ownerReferences": [reference]}


def _labels(owner: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": names.COMPONENT, MANAGED_BY: OPERATOR, names.OWNER: owner}


def _pod_spec(spec: PhoenixProcessPipelineSpec, rendered: Rendered, settings: Settings) -> Tree:
    full = spec.host_access == "full"
    pod: Tree = {
        "hostPID": True,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {
            "runAsUser": 0 if full else NOBODY,
            "runAsGroup": 0 if full else NOBODY,
            "runAsNonRoot": not full,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, rendered, settings)],
        "volumes": [
            {
                "name": "config",
                "configMap": {"items": [{"key": names.CONFIG_KEY, "path": names.CONFIG_KEY}]},
            },
            # The owner of a process is a number; its name is in the node's file, not in the container's.
            {"name": "passwd", "hostPath": {"path": "/etc/passwd", "type": "File"}},
        ],
    }
    if spec.node_selector:
        pod["nodeSelector"] = dict(spec.node_selector)
    if spec.node_names:
        pod["affinity"] = _affinity(spec.node_names)
    if spec.tolerations:
        pod["tolerations"] = [_without_empty(one.model_dump(by_alias=True)) for one in spec.tolerations]
    return pod


def _container(spec: PhoenixProcessPipelineSpec, rendered: Rendered, settings: Settings) -> Tree:
    capabilities: Tree = {"drop": ["ALL"]}
    if spec.host_access == "full":
        capabilities["add"] = CAPABILITIES
    container: Tree = {
        "name": names.CONTAINER,
        "image": spec.image or settings.image,
        "imagePullPolicy": settings.pull_policy,
        "args": [f"--config={CONFIG_FOLDER}/{names.CONFIG_KEY}"],
        "env": _variables(rendered),
        "ports": [{"name": "metrics", "containerPort": names.METRICS_PORT, "protocol": "TCP"}],
        "resources": _without_empty(spec.resources.model_dump(by_alias=True, exclude_none=True)),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": capabilities,
        },
        "startupProbe": {**_PROBE, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {**_PROBE, "periodSeconds": 15, "failureThreshold": 3},
        "livenessProbe": {**_PROBE, "periodSeconds": 30, "failureThreshold": 4},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_FOLDER, "readOnly": True},
            {"name": "passwd", "mountPath": "/etc/passwd", "readOnly": True},
        ],
    }
    if spec.environment:
        container["envFrom"] = [{"secretRef": {"name": one.name}} for one in spec.environment]
    return container


def _variables(rendered: Rendered) -> list[Tree]:
    fixed = [
        {"name": HOST_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": names.POD_IP_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    secret = [
        {"name": one.name, "valueFrom": {"secretKeyRef": {"name": one.secret.name, "key": one.secret.key}}}
        for one in rendered.variables
    ]
    return fixed + secret


def _affinity(nodes: tuple[str, ...]) -> Tree:
    expression = {"key": "kubernetes.io/hostname", "operator": "In", "values": sorted(set(nodes))}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _without_empty(tree: Mapping[str, Any]) -> Tree:
    return {name: value for name, value in tree.items() if value not in ("", None, {})}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
