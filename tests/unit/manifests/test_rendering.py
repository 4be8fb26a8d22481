"""The manifests filled in: what may go in, and what comes out."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from chalicelib.domain.errors import InvalidInput
from phoenix_cli.manifests.rendering import checked, render

GIVEN = {
    "mode": "pull",
    "cluster": "store",
    "namespace": "phoenix",
    "operatorImage": "registry.example:5000/phoenix/operator:0.1.0",
    "collectorImage": "phoenix/collector@sha256:" + "a" * 64,
    "endpoint": "https://phoenix.example:8443",
    "crds": False,
}


def documents(**changes: Any) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(render(checked(**{**GIVEN, **changes}))) if one]


def one(found: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (only,) = [thing for thing in found if thing["kind"] == kind and thing["metadata"]["name"] == name]
    return only


def test_pull_mode_has_definitions_operators_and_rights_for_orders_in_one_namespace() -> None:
    found = documents(crds=True)
    assert len([thing for thing in found if thing["kind"] == "CustomResourceDefinition"]) == 3
    spec = one(found, "Deployment", "phoenix-operator")["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == GIVEN["operatorImage"]
    assert GIVEN["collectorImage"] in {variable.get("value") for variable in spec["containers"][0]["env"]}
    assert {"name": "cluster", "secret": {"secretName": "phoenix-cluster", "defaultMode": 0o440}} in spec["volumes"]
    ports = one(found, "NetworkPolicy", "phoenix-operator")["spec"]["egress"][-1]["ports"]
    assert ports == [{"protocol": "TCP", "port": 8443}]
    assert {thing["metadata"].get("namespace", "phoenix") for thing in found} == {"phoenix"}


def test_push_mode_gives_the_control_plane_nodes_and_our_two_kinds_and_nothing_else() -> None:
    found = documents(mode="push", endpoint="")
    wide = one(found, "ClusterRole", "phoenix-control-plane-phoenix")["rules"]
    assert wide == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]
    (narrow,) = one(found, "Role", "phoenix-control-plane")["rules"]
    assert narrow == {
        "apiGroups": ["phoenix.io"],
        "resources": ["phoenixprocesspipelines", "loadsimulationjobs"],
        "verbs": ["get", "list", "create", "patch", "delete"],
    }
    assert one(found, "Secret", "phoenix-control-plane")["type"] == "kubernetes.io/service-account-token"
    assert "ClusterRole" in {thing["kind"] for thing in found}
    assert "CustomResourceDefinition" not in {thing["kind"] for thing in found}


@pytest.mark.parametrize("name", ["123", "null", "true", "1e3", "a" * 63])
def test_a_name_stays_text_whatever_it_looks_like(name: str) -> None:
    found = documents(namespace=name, cluster=name)
    assert one(found, "Namespace", name)
    assert all(isinstance(thing["metadata"].get("namespace", ""), str) for thing in found)
    subjects = [subject for thing in found for subject in thing.get("subjects", ())]
    assert {subject["namespace"] for subject in subjects} == {name}


def test_nobody_secret_and_nothing_of_helm_is_in_it() -> None:
    text = render(checked(**GIVEN))
    assert "helm.sh" not in text
    assert "managed-by: Helm" not in text
    assert "-placeholder" not in text
    assert "$" + "{" not in text.partition("kind: Namespace")[2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("namespace", "a\nb: c"),
        ("namespace", "A"),
        ("namespace", "a" * 64),
        ("cluster", 'a"b'),
        ("cluster", ""),
        ("operatorImage", "image"),
        ("operatorImage", "a:b\n- c"),
        ("operatorImage", "a b:c"),
        ("collectorImage", "a:b}"),
        ("endpoint", "https://a/\nb"),
        ("endpoint", "ftp://a"),
        ("endpoint", "https://user:secret@a"),
        ("mode", "both"),
        ("surplus", "x"),
    ],
)
def test_what_could_break_the_text_is_refused_by_name(field: str, value: str) -> None:
    with pytest.raises(InvalidInput) as told:
        checked(**{**GIVEN, field: value})
    assert field in told.value.detail
    assert value not in told.value.detail or len(value) < 2


def test_pull_mode_needs_to_know_where_to_go_and_a_port_that_is_one() -> None:
    with pytest.raises(InvalidInput, match="endpoint is missing"):
        render(checked(**{**GIVEN, "endpoint": ""}))
    with pytest.raises(InvalidInput, match="not a URL"):
        render(checked(**{**GIVEN, "endpoint": "https://a:99999"}))
