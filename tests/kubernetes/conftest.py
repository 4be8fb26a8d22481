"""What the live tests share: one cluster for the whole session, and what it said when a test failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from images.build import built
from images.contents import ROOT
from phoenix_cli.binaries.progress import progress_report
from tests.acceptance.table import FIGURE
from tests.acceptance.waiting import until
from tests.catalog.capture import Capture
from tests.kubernetes.cluster import NODE_ADDRESS, Cluster
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.monitoring import define
from tests.kubernetes.operator_process import OperatorProcess

_CLUSTER = pytest.StashKey[Cluster]()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The cluster, up; this process is inside its network. What a test makes in it, the test removes."""
    with Cluster(os.environ) as found:
        request.config.stash[_CLUSTER] = found
        yield found
        del request.config.stash[_CLUSTER]


@pytest.fixture(scope="session")
def images(cluster: Cluster) -> dict[str, str]:
    """The images "collector" and "operator", made of this code and loaded into the node: their references."""
    found = {}
    for kind in ("collector", "operator"):
        with progress_report(os.environ, sys.stderr) as report:
            found[kind], archive = built(kind, os.environ, report)
        cluster.load(archive)
    return found


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> None:
    """The three custom resources are known to the cluster."""
    flags = ("--server-side", "--force-conflicts", "--field-manager=tester")
    cluster.kubectl("apply", *flags, "-f", str(ROOT / "charts" / "phoenix" / "crds"))
    # kubectl itself fails on a definition that has no conditions yet.
    words = ("wait", "--for=condition=Established", "crd", "--all", "--timeout=50s")
    until("definitions are established", lambda: cluster.tried(*words).returncode == 0, 120)
    # Its storage follows some time after that; kubectl waits for it.
    for definition in yaml.safe_load(cluster.kubectl("get", "crd", "-o", "yaml"))["items"]:
        cluster.kubectl("get", definition["metadata"]["name"], "-A")


@pytest.fixture(scope="session")
def monitoring(cluster: Cluster) -> None:
    """The kinds of Prometheus operator that the chart makes are known to the cluster."""
    define(cluster)


@pytest.fixture(scope="session")
def control_plane(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """`phoenix up` in the cluster's network; pods reach it at `reached`."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as found:
        found.up()
        yield found


@pytest.fixture(scope="session")
def operator(
    cluster: Cluster, crds: None, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operators as a process, cluster-wide. A test that stops or kills it starts it again."""
    with OperatorProcess(cluster, images, tmp_path_factory.mktemp("operator")) as found:
        yield found


@pytest.fixture
def backend(cluster: Cluster) -> Iterator[Capture]:
    """A user's OTLP backend that pods reach; it keeps what it gets."""
    with Capture(NODE_ADDRESS) as found:
        yield found


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a measured figure for the table of acceptance tests; several are joined."""
    return lambda text: request.node.user_properties.append((FIGURE, text))


@pytest.fixture
def folder(tmp_path: Path, control_plane: ControlPlane) -> Iterator[Path]:
    """Where the user of the control plane types: files lie here, and commands are run here."""
    before, control_plane.phoenix.folder = control_plane.phoenix.folder, tmp_path
    yield tmp_path
    control_plane.phoenix.folder = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever comes first starts the cluster as well, and waits here are for pods."""
    for item in items:
        if item.get_closest_marker("timeout") is None and "kubernetes" in item.path.parts:
            item.add_marker(pytest.mark.timeout(900))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure tells what the pods printed, and what the cluster noted about them."""
    report = yield
    cluster = item.config.stash.get(_CLUSTER, None)
    if report.failed and cluster is not None:
        pods = cluster.tried("get", "pods", "-A", "-o", "wide").stdout
        events = cluster.tried("get", "events", "-A", "--sort-by=.lastTimestamp").stdout[-6000:]
        report.sections.append(("the cluster's pods", pods))
        report.sections.append(("the cluster's events", events))
        for pod in cluster.list("pods", namespace=""):
            where, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            report.sections.append((f"pod {where}/{name}", cluster.logs(name, where, lines=60)))
        pipelines = cluster.tried("get", "phoenixprocesspipelines", "-A", "-o", "yaml").stdout[-8000:]
        report.sections.append(("pipelines", pipelines))
    return report
