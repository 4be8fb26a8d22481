"""What a LoadSimulationJob becomes: Jobs that end by themselves, with no right but to run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.domain.kubernetes.load_job import LoadSimulationJobSpec
from chalicelib.domain.load import LoadSpec
from loadsim.processes.marker import RUN_ID, VARIABLE
from operators.loads.desired import MARK, LoadPods, Owner, job, job_name, targets

OWNER = Owner("lab", "web", "1c9b5a3e-0000-4000-8000-000000000001")
PODS = LoadPods("phoenix/operator:1")
LONGEST_ARGUMENT = 131_072
"""Bytes of one argument of a program (MAX_ARG_STRLEN, execve(2))."""


def spec(**fields: Any) -> LoadSimulationJobSpec:
    return LoadSimulationJobSpec.model_validate({"load": {"durationS": "10m"}, **fields})


def pod_of(made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = made["spec"]["template"]["spec"]
    return found


def test_it_ends_by_itself_and_is_never_started_twice() -> None:
    made = job(OWNER, spec(), "", PODS)
    assert made["spec"]["backoffLimit"] == 0
    assert pod_of(made)["restartPolicy"] == "Never"
    assert made["spec"]["activeDeadlineSeconds"] == pod_of(made)["activeDeadlineSeconds"] == 720
    assert "ttlSecondsAfterFinished" not in made["spec"]
    assert made["metadata"]["ownerReferences"][0]["uid"] == OWNER.uid


def test_its_pod_has_no_right_but_to_run() -> None:
    pod = pod_of(job(OWNER, spec(), "node-1", PODS))
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostPID", "hostNetwork", "volumes", "serviceAccountName"} & pod.keys()


def test_its_limits_are_those_asked_for() -> None:
    (container,) = pod_of(job(OWNER, spec(resources={"limits": {"memory": "2Gi"}}), "", PODS))["containers"]
    assert container["resources"] == {"requests": {}, "limits": {"memory": "2Gi"}}


def test_each_node_gets_one_by_its_name_and_the_scheduler_is_asked() -> None:
    asked = spec(nodeNames=["node-1", "node-2", "node-1"], tolerations=[{"key": "x", "operator": "Exists"}])
    assert targets(asked) == ("node-1", "node-2")
    pod = pod_of(job(OWNER, asked, "node-2", PODS))
    assert "nodeName" not in pod
    (term,) = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-2"]}]}
    assert pod["tolerations"] == [{"key": "x", "operator": "Exists"}]
    assert targets(spec()) == ("",)
    assert "affinity" not in pod_of(job(OWNER, spec(nodeSelector={"disk": "ssd"}), "", PODS))


@pytest.mark.parametrize("name", ["web", "a" * 63, "a.b", "a" * 39 + ".b"])
def test_a_job_s_name_is_a_dns_label_and_no_other_s(name: str) -> None:
    owner = Owner("lab", name, OWNER.uid)
    names = {job_name(owner, "node-1"), job_name(owner, "node-2"), job_name(Owner("lab", name, "another"), "node-1")}
    assert len(names) == 3
    for one in names:
        assert len(one) <= 53  # a pod's name has six more, and it is a label
        assert set(one) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert one[0] != "-" != one[-1]


def test_its_processes_carry_the_mark_that_loadsim_looks_for() -> None:
    (container,) = pod_of(job(OWNER, spec(), "node-1", PODS))["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    assert MARK == VARIABLE
    assert RUN_ID.fullmatch(environment[MARK])
    assert OWNER.uid in environment[MARK]


def test_the_request_reaches_loadsim_as_it_was_made_and_the_largest_fits() -> None:
    group = {
        "nameTemplate": "phx-{word}",
        "count": 1,
        "cpuPattern": "growing",
        "cpuShare": 0.012345,
        "memPattern": "growing",
        "memory": "1205KiB",
        "period": "3599s",
        "lifetime": "86399s",
    }
    stage = {"name": "s" * 40, "lasts": "4320s", "profile": "custom", "count": 20, "groups": [group] * 20}
    asked = LoadSimulationJobSpec.model_validate(
        {"load": {"profile": "stages", "stages": [stage] * 20, "durationS": "24h", "critical": 0}}
    )
    (container,) = pod_of(job(OWNER, asked, "node-1", PODS))["containers"]
    words = container["args"]
    assert len(words[words.index("--spec") + 1].encode()) < LONGEST_ARGUMENT
    assert LoadSpec.model_validate_json(words[words.index("--spec") + 1]) == asked.load


def test_it_can_be_applied_as_json() -> None:
    assert json.loads(json.dumps(job(OWNER, spec(), "node-1", PODS))) == job(OWNER, spec(), "node-1", PODS)
