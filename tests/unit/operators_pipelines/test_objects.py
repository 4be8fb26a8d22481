"""The DaemonSet as it is applied, and reading pods: rights, rollout, what differs, what failed."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec
from operators.pipelines.desired import Form, Settings, config_map, daemon_set, form_in, form_of
from operators.pipelines.drift import covers
from operators.pipelines.names import WHOLE_HASH
from operators.pipelines.pods import MAX_MESSAGE, pod_seen
from operators.pipelines.rendering import rendered
from tests.unit.operators_pipelines.world import CATALOG, own

OWNER = {"metadata": {"name": "web", "namespace": "shop", "uid": "u-1"}}


def form(spec: dict[str, Any], image: str = "collector:1") -> Form:
    parsed = PhoenixProcessPipelineSpec.model_validate(spec)
    return form_of(OWNER, parsed, rendered(parsed, "u-1", CATALOG), Settings(image, "Never"))


def whole(spec: dict[str, Any]) -> dict[str, Any]:
    return daemon_set(OWNER, PhoenixProcessPipelineSpec.model_validate(spec).rollout, form(spec))


def test_a_collector_has_no_right_that_it_does_not_need() -> None:
    pod = whole(own())["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False
    assert pod["hostPID"] is True
    assert pod["securityContext"]["runAsUser"] == 65534
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "hostNetwork" not in pod
    assert not any("hostPort" in port for port in container["ports"])
    assert all(mount["readOnly"] for mount in container["volumeMounts"])


def test_full_access_is_root_with_two_capabilities_and_nothing_more() -> None:
    pod = whole(own() | {"hostAccess": "full"})["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == 0
    assert pod["containers"][0]["securityContext"]["capabilities"] == {
        "drop": ["ALL"],
        "add": ["SYS_PTRACE", "DAC_READ_SEARCH"],
    }
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_old_collector_goes_on_until_the_new_one_is_ready() -> None:
    spec = whole(own() | {"rollout": {"maxSurge": "10%", "minReadySeconds": 30}})["spec"]
    assert spec["updateStrategy"]["rollingUpdate"] == {"maxSurge": "10%", "maxUnavailable": 0}
    assert spec["minReadySeconds"] == 30


def test_a_change_of_pod_or_configuration_is_another_form_and_one_of_the_rollout_is_not() -> None:
    first = form(own())
    assert form(own()).form_hash == first.form_hash
    assert form(own(2)).form_hash != first.form_hash
    assert form(own(), image="collector:2").form_hash != first.form_hash
    assert form(own(), image="collector:2").config_hash == first.config_hash
    slower = own() | {"rollout": {"minReadySeconds": 60}}
    assert form(slower).form_hash == first.form_hash
    assert whole(slower)["metadata"]["annotations"][WHOLE_HASH] != whole(own())["metadata"]["annotations"][WHOLE_HASH]


def test_a_config_map_holds_all_that_a_roll_back_needs() -> None:
    made = form(own())
    stored = config_map(OWNER, made)
    assert stored["immutable"] is True
    again = form_in(stored)
    assert again is not None
    policy = PhoenixProcessPipelineSpec.model_validate(own()).rollout
    assert daemon_set(OWNER, policy, again) == daemon_set(OWNER, policy, made)
    assert config_map(OWNER, again) == stored
    assert form_in({"metadata": {"name": "x"}, "data": {"template.json": "{"}}) is None


def test_everything_has_one_owner() -> None:
    for body in (whole(own()), config_map(OWNER, form(own()))):
        assert [one["uid"] for one in body["metadata"]["ownerReferences"]] == ["u-1"]


def test_nodes_and_tolerations_are_the_resource_s() -> None:
    spec = own() | {
        "nodeNames": ["b", "a"],
        "nodeSelector": {"pool": "web"},
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "environment": [{"name": "extra"}],
    }
    pod = whole(spec)["spec"]["template"]["spec"]
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["a", "b"]
    assert pod["nodeSelector"] == {"pool": "web"}
    assert pod["tolerations"] == [{"operator": "Exists", "effect": "NoSchedule"}]
    assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "extra"}}]


@pytest.mark.parametrize(
    ("actual", "desired", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"b": 2}, {"a": 1}, False),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, True),
        ({"cpu": "500m"}, {"cpu": "0.5"}, True),
        ({"cpu": "501m"}, {"cpu": "0.5"}, False),
        ([{"name": "x", "y": 1}, {"name": "z"}], [{"name": "x"}], True),
        ([{"name": "z"}], [{"name": "x"}], False),
        (["ALL", "NET_ADMIN"], ["ALL"], False),
        (True, 1, True),
        ("no mapping", {"a": 1}, False),
    ],
)
def test_what_differs(actual: Any, desired: Any, same: bool) -> None:
    assert covers(actual, desired) is same


def pod(**container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"nodeName": "n"},
        "status": {"containerStatuses": [{"name": "collector", **container}]},
    }


def test_the_collector_s_own_words_come_before_the_kubelet_s() -> None:
    words = "2026 info started\nError: first\nmore\nError: cannot start: no such file\nlast"
    seen = pod_seen(
        pod(
            state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
            lastState={"terminated": {"exitCode": 1, "message": words}},
        )
    )
    assert seen.message == "cannot start: no such file"
    assert seen.crashing


def test_a_container_that_cannot_be_made_says_why() -> None:
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "b" not found'}}
    seen = pod_seen(pod(state=waiting))
    assert (seen.message, seen.stuck, seen.crashing) == (
        'CreateContainerConfigError: secret "b" not found',
        True,
        False,
    )


def test_a_container_that_is_being_made_has_nothing_to_say() -> None:
    seen = pod_seen(pod(state={"waiting": {"reason": "ContainerCreating"}}))
    assert (seen.message, seen.stuck, seen.ready_since) == ("", False, None)


def test_a_collector_killed_without_a_word_is_told_by_its_code() -> None:
    seen = pod_seen(pod(lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, state={}))
    assert seen.message == "the collector ended with code 137 (OOMKilled)"


def test_texts_of_pods_are_bounded_and_hold_no_credential() -> None:
    words = "Error: token=phx_abcdefgh " + "x" * 10_000
    seen = pod_seen(pod(state={"terminated": {"exitCode": 1, "message": words}}))
    assert "phx_abcdefgh" not in seen.message
    assert len(seen.message) <= MAX_MESSAGE


def test_a_pod_that_finds_no_place_is_of_the_node_it_is_meant_for() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n-7"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    seen = pod_seen(
        {
            "metadata": {"name": "p", "uid": "u"},
            "spec": {"affinity": affinity},
            "status": {"conditions": [unplaced]},
        }
    )
    assert (seen.node, seen.message) == ("n-7", "0/1 nodes are available")
