"""The custom resource definitions on a real API server: it takes them, fills defaults in, refuses in the models' words,
and explains every field to kubectl."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chalicelib.domain.kubernetes.crd.definitions import definitions
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec
from chalicelib.domain.kubernetes.writing import spec_body
from tests.acceptance.waiting import until
from tests.kubernetes.cluster import Cluster, Failed
from tests.unit.kubernetes_crd.resources import EXPERIMENT, LOAD, PIPELINE, REFUSED, RIGHT, resource
from tests.unit.kubernetes_crd.test_schemas import MODELS

PLACE = "crds"
ALONE = {"variants": [{"pipeline": "process-topk-v1"}]}


@pytest.fixture(scope="module")
def place(cluster: Cluster, crds: None) -> Iterator[Cluster]:
    """The cluster, with a namespace for these tests."""
    for name in definitions():
        until(f"{name} can be listed", lambda name=name: cluster.tried("get", name).returncode == 0, 60)
    cluster.kubectl("create", "namespace", PLACE)
    yield cluster
    cluster.delete("namespace", PLACE)


def stored(cluster: Cluster, kind: str, spec: dict[str, Any], name: str) -> dict[str, Any]:
    cluster.apply(resource(kind, spec, name), namespace=PLACE)
    found = cluster.get(kind, name, PLACE)
    assert found is not None
    return found


def refusal(cluster: Cluster, *things: dict[str, Any]) -> str:
    with pytest.raises(Failed) as told:
        cluster.apply(*things, namespace=PLACE)
    return str(told.value)


def test_every_right_resource_is_taken_and_means_the_same_when_it_is_read_back(place: Cluster) -> None:
    things = [resource(kind, spec, f"right-{number}") for number, (kind, spec) in enumerate(RIGHT.values())]
    place.apply(*things, namespace=PLACE)
    for thing in things:
        found = place.get(thing["kind"], thing["metadata"]["name"], PLACE)
        assert found is not None
        model = MODELS[thing["kind"]]
        assert model.model_validate(found["spec"]) == model.model_validate(thing["spec"])


def test_every_rule_refuses_its_example_with_the_models_words(place: Cluster) -> None:
    things = [resource(kind, spec, f"refused-{n}-x") for n, (kind, spec, _) in enumerate(REFUSED.values())]
    said = refusal(place, *things)
    for number, what in enumerate(REFUSED):
        own = said.partition(f"refused-{number}-x")[2].partition("refused-")[0]
        assert REFUSED[what][2] in own, f"{what}: {own}"


def test_defaults_are_filled_in_and_what_a_client_sends_equals_them(place: Cluster) -> None:
    found = stored(place, PIPELINE, ALONE, "defaults")["spec"]
    assert found["interval"] == 15
    assert found["rollout"] == {"maxSurge": 1, "minReadySeconds": 10, "progressDeadline": 300}
    assert found["resources"]["limits"] == {"memory": "256Mi"}
    assert found == spec_body(PhoenixProcessPipelineSpec.model_validate(ALONE))


def test_unknown_fields_and_names_with_dots_are_refused(place: Cluster) -> None:
    assert ".spec.intervall" in refusal(place, resource(PIPELINE, {**ALONE, "intervall": 1}))
    assert "metadata.name must be a DNS label" in refusal(place, resource(PIPELINE, ALONE, "a.b"))
    sneaked = place.tried("create", "-n", PLACE, "-f", "-", given=yaml.dump(resource(LOAD, {"load": {"shell": "x"}})))
    assert 'unknown field "spec.load.shell"' in sneaked.stderr


def test_an_experiment_never_changes_not_even_in_a_share(place: Cluster) -> None:
    spec = {
        "baseline": {"pipeline": "a"},
        "candidate": {"pipeline": "b"},
        "critical": [{"name": "a"}],
        "targets": {"hosts": ["a"]},
        "success": {"seriesReduction": {"atLeast": "50%"}},
    }
    stored(place, EXPERIMENT, spec, "fixed")
    stored(place, EXPERIMENT, spec, "fixed")
    for change in ({"success": {"seriesReduction": {"atLeast": "60%"}}}, {"interval": 30}, {"dryRun": True}):
        said = refusal(place, resource(EXPERIMENT, {**spec, **change}, "fixed"))
        assert "an experiment never changes while it exists" in said


def test_a_load_may_be_stopped_and_nothing_else(place: Cluster) -> None:
    spec = {"load": {"profile": "realistic"}}
    stored(place, LOAD, spec, "stopping")
    assert stored(place, LOAD, {**spec, "stopped": True}, "stopping")["spec"]["stopped"] is True
    said = refusal(place, resource(LOAD, {"load": {"profile": "realistic", "seed": 2}}, "stopping"))
    assert "only stopped may change" in said


def test_a_status_is_written_by_its_own_way_alone(place: Cluster) -> None:
    found = stored(place, PIPELINE, ALONE, "status")
    assert "status" not in found
    place.apply({**resource(PIPELINE, ALONE, "status"), "status": {"readyNodes": 1}}, namespace=PLACE)
    again = place.get(PIPELINE, "status", PLACE)
    assert again is not None
    assert "status" not in again
    place.kubectl("patch", "ppp", "status", "-n", PLACE, "--subresource=status", "--type=merge", "-p", STATUS)
    shown = place.kubectl("get", "phxpipe", "status", "-n", PLACE).splitlines()
    assert shown[0].split() == ["NAME", "PIPELINE", "DESIRED", "UPDATED", "READY", "FAILED", "STATUS", "AGE"]
    assert shown[1].split()[1:7] == ["topk", "3", "2", "1", "0", "RollingOut"]
    wrong = STATUS.replace('"desiredNodes": 3', '"desiredNodes": "many"')
    said = place.tried(
        "patch", "ppp", "status", "-n", PLACE, "--subresource=status", "--type=merge", "-p", wrong
    ).stderr
    assert "status.desiredNodes" in said


STATUS = (
    '{"status": {"pipeline": "topk", "desiredNodes": 3, "updatedNodes": 2, "readyNodes": 1, "failedNodes": 0,'
    ' "conditions": [{"type": "Ready", "status": "False", "reason": "RollingOut",'
    ' "lastTransitionTime": "2026-11-22T13:00:00Z"}]}}'
)


def test_kubectl_explains_fields_in_sentences(place: Cluster) -> None:
    def explained(field: str) -> str:
        return " ".join(place.kubectl("explain", field).split())

    until("kubectl knows the schemas", lambda: place.tried("explain", "experiments.spec").returncode == 0, 60)
    assert 'FIELD: interval <Object> DESCRIPTION: Time between two scrapes ("15s" is understood).' in explained(
        "phoenixprocesspipelines.spec.interval"
    )
    assert "a DaemonSet with maxUnavailable 0" in explained("ppp.spec.rollout")
    assert "durationS <Object>" in explained("loadsim.spec.load")
    assert 'a percentage such as "50%"' in explained("phxexp.spec.success.seriesReduction.atLeast")
    assert "The collector's own words" in explained("ppp.status.nodes.message")


def test_one_word_lists_all_of_phoenix(place: Cluster) -> None:
    stored(place, LOAD, {"load": {}}, "listed")
    assert "loadsimulationjob.phoenix.io/listed" in place.kubectl("get", "phoenix", "-n", PLACE)
