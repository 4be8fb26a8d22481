"""What can be set of the operator: flags, and the environment variables that stand behind them. Reads no file."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.experiment.spec import NAME

PREFIX = "PHOENIX_OPERATOR_"
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings:
    """namespaces: watched ones, none is the whole cluster. otelcol: the collector that validates. own_namespace and
    identity: of the pod we run in, for the Lease. health_port, metrics_port: 0 is off. stop_s: what may end at a
    SIGTERM. kubeconfig: "" is the service account of the pod. cluster: name of this cluster in the control plane.
    experiments_secret, cluster_secret: folders with `endpoint` and `token` (and `ca.crt`) of the control plane, by
    which experiments are mirrored, and orders carried (pull mode); None: not. orders_namespace: of what it orders."""

    namespaces: tuple[str, ...]
    collector_image: str
    operator_image: str
    pull_policy: str
    otelcol: Path
    catalogs: tuple[Path, ...]
    health_port: int
    metrics_port: int
    leader_election: bool
    own_namespace: str
    identity: str
    kubeconfig: str
    cluster: str
    experiments_secret: Path | None
    cluster_secret: Path | None
    orders_namespace: str
    workers: int
    stop_s: float
    log_level: str
    log_json: bool


def read(arguments: Sequence[str], environment: Mapping[str, str], catalog: Path, host: str) -> Settings:
    """Flags before the environment before defaults. catalog: Phoenix's own. host: name of the machine or pod. Raises
    InvalidInput naming the flag; ends the process with usage for an unknown one."""
    given = _parser(environment, catalog).parse_args(list(arguments))
    problems = []
    if not given.collector_image:
        problems.append("--collector-image (or PHOENIX_OPERATOR_COLLECTOR_IMAGE) is missing: the image of collectors")
    if not given.otelcol:
        problems.append("--otelcol (or PHOENIX_OTELCOL) is missing: the collector binary that validates configurations")
    if given.cluster_secret and not given.cluster:
        problems.append("--cluster is missing: pull mode (--cluster-secret) needs the cluster's name")
    namespaces = tuple(name.strip() for name in given.namespaces.split(",") if name.strip())
    if problems:
        raise InvalidInput("; ".join(problems))
    return Settings(
        namespaces=namespaces,
        collector_image=given.collector_image,
        operator_image=given.operator_image,
        pull_policy=given.image_pull_policy,
        otelcol=Path(given.otelcol),
        catalogs=tuple(Path(folder) for folder in given.catalog.split(os.pathsep) if folder),
        health_port=given.health_port,
        metrics_port=given.metrics_port,
        leader_election=given.leader_election,
        own_namespace=given.own_namespace,
        identity=environment.get("POD_NAME") or host,
        kubeconfig=given.kubeconfig,
        cluster=given.cluster,
        experiments_secret=Path(given.experiments_secret) if given.experiments_secret else None,
        cluster_secret=Path(given.cluster_secret) if given.cluster_secret else None,
        orders_namespace=given.orders_namespace or given.own_namespace,
        workers=given.workers,
        stop_s=given.stop_seconds,
        log_level=given.log_level,
        log_json=given.log_format == "json",
    )


def _parser(environment: Mapping[str, str], catalog: Path) -> argparse.ArgumentParser:
    def default(name: str, otherwise: str = "") -> str:
        return environment.get(PREFIX + name, otherwise)

    parser = argparse.ArgumentParser(
        prog="python -m operators",
        description="Phoenix in a Kubernetes cluster: makes collectors, loads and experiments of custom resources.",
        epilog=f"Every flag has a variable: --collector-image is {PREFIX}COLLECTOR_IMAGE.",
    )
    add = parser.add_argument
    add("--namespaces", default=default("NAMESPACES"), help="watch these (a,b); without: the whole cluster")
    add("--collector-image", default=default("COLLECTOR_IMAGE"), help="of collectors whose resource names none")
    add("--operator-image", default=default("OPERATOR_IMAGE"), help="of the pods of simulated load: this image")
    add(
        "--image-pull-policy",
        default=default("IMAGE_PULL_POLICY", "IfNotPresent"),
        choices=PULL_POLICIES,
        help="of all pods made here",
    )
    otelcol = environment.get("PHOENIX_OTELCOL", "")
    add("--otelcol", default=default("OTELCOL", otelcol), help="collector binary that validates ($PHOENIX_OTELCOL)")
    add("--catalog", default=default("CATALOG", str(catalog)), help="folders of pipelines, separated like PATH")
    add("--health-port", type=_port, default=default("HEALTH_PORT", "8080"), help="of /healthz; 0 is off")
    add("--metrics-port", type=_port, default=default("METRICS_PORT", "9464"), help="of /metrics; 0 is off")
    add(
        "--leader-election",
        action=argparse.BooleanOptionalAction,
        default=default("LEADER_ELECTION", "false").lower() in ("1", "true", "yes"),
        help="work only while holding the Lease: for two replicas",
    )
    own = environment.get("POD_NAMESPACE", "default")
    add("--own-namespace", default=default("OWN_NAMESPACE", own), help="of the Lease ($POD_NAMESPACE)")
    kubeconfig = environment.get("KUBECONFIG", "")
    add("--kubeconfig", default=default("KUBECONFIG", kubeconfig), help="outside a cluster ($KUBECONFIG)")
    _control_plane(parser, default)
    add("--workers", type=_count, default=default("WORKERS", "10"), help="reconciles at the same time")
    add("--stop-seconds", type=float, default=default("STOP_SECONDS", "20"), help="what may end at a SIGTERM")
    add("--log-level", default=default("LOG_LEVEL", "info"), choices=LEVELS)
    add("--log-format", default=default("LOG_FORMAT", "text"), choices=("text", "json"))
    return parser


def _control_plane(parser: argparse.ArgumentParser, default: Callable[[str], str]) -> None:
    add, secret = parser.add_argument, "folder with the files endpoint and token (and ca.crt) of the control plane"
    add("--cluster", type=_cluster, default=default("CLUSTER"), help="name of this cluster in the control plane")
    add("--experiments-secret", default=default("EXPERIMENTS_SECRET"), help=f"{secret}: mirror Experiments there")
    add("--cluster-secret", default=default("CLUSTER_SECRET"), help=f"{secret}: carry its orders (pull mode)")
    add("--orders-namespace", default=default("ORDERS_NAMESPACE"), help="of what it orders; without: --own-namespace")


def _cluster(text: str) -> str:
    if text and not re.fullmatch(NAME, text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a cluster: at most 63 of a-z, 0-9 and -")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100")
    return int(text)
