"""Keeping resources as files and putting them back."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.domain.errors import InvalidInput, Unavailable
from chalicelib.domain.kubernetes.resource import API_VERSION, CONTROL_PLANE, MANAGED_BY
from operators.engine.objects import Key
from operators.runtime import backup, maintenance
from tests.fakes.kubernetes import FakeCluster

PIPELINES, LOADS, EXPERIMENTS = backup.KINDS
NOW = 1_795_000_000.0


def thing(name: str, kind: str = PIPELINES.kind, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", **more.pop("metadata", {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": {"of": name}, **more}


def filled() -> FakeCluster:
    cluster = FakeCluster()
    cluster.put(PIPELINES, thing("b", status={"readyNodes": 1}))
    noted = {"labels": {"team": "a"}, "annotations": {"note": "x", backup.LAST_APPLIED: "{}"}, "finalizers": ["f"]}
    cluster.put(PIPELINES, thing("a", metadata=noted))
    cluster.put(PIPELINES, thing("made", metadata={"labels": {MANAGED_BY: CONTROL_PLANE}}))
    cluster.put(LOADS, thing("runs", LOADS.kind, status={"phase": "running"}))
    cluster.put(LOADS, thing("ran", LOADS.kind, status={"phase": "stopped"}))
    cluster.put(LOADS, thing("odd", LOADS.kind, status={"phase": "of a later release"}))
    cluster.put(EXPERIMENTS, thing("e", EXPERIMENTS.kind))
    return cluster


def test_what_people_wrote_is_kept_and_what_follows_from_it_is_not() -> None:
    documents = asyncio.run(backup.collect(filled()))
    assert [one["metadata"]["name"] for one in documents] == ["a", "b", "odd", "runs", "e"]
    labels = {"labels": {"team": "a"}, "annotations": {"note": "x"}}
    assert documents[0] == thing("a", metadata=labels)
    assert documents[1] == thing("b")


def test_a_backup_put_back_into_an_empty_cluster_is_what_was_kept(tmp_path: Path) -> None:
    documents = asyncio.run(backup.collect(filled()))
    path = backup.write(documents, tmp_path / "new", NOW, keep=3)
    cluster = FakeCluster()
    done = asyncio.run(backup.put_back(cluster, backup.read(path)))
    assert [why for _, why in done] == [""] * 5
    assert asyncio.run(backup.collect(cluster)) == documents


def test_files_are_private_and_the_newest_are_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("left alone")
    paths = [backup.write([thing("a")], tmp_path, NOW + 60 * minute, keep=2) for minute in range(4)]
    assert backup.kept(tmp_path) == [paths[3], paths[2]]
    assert paths[0].name == "phoenix-20261118T110640Z.yaml"
    assert stat.S_IMODE(paths[3].stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"mine.yaml", paths[2].name, paths[3].name}


def test_one_that_is_refused_keeps_no_other_from_being_put_back() -> None:
    cluster = FakeCluster()
    cluster.refuse = lambda verb, kind, key: InvalidInput("too old") if key == Key("default", "a") else None
    done = asyncio.run(backup.put_back(cluster, [thing("a"), thing("b")]))
    assert done == [("PhoenixProcessPipeline default/a", "too old"), ("PhoenixProcessPipeline default/b", "")]
    assert cluster.names(PIPELINES) == ["b"]


def test_a_server_that_is_away_ends_it() -> None:
    cluster = FakeCluster()
    cluster.refuse = lambda verb, kind, key: Unavailable("away")
    with pytest.raises(Unavailable):
        asyncio.run(backup.put_back(cluster, [thing("a")]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read as YAML"),
        ("--- !!python/object/apply:os.system [x]", "cannot be read as YAML"),
        ("a: 1", "document 1: not of apiVersion"),
        ("[]", "document 1: not of apiVersion"),
        (yaml.dump(thing("a")) + "---\n" + yaml.dump(thing("x", "Secret")), "document 2: kind 'Secret' is none"),
        (yaml.dump(thing("x", metadata={"namespace": None})), "no name, or no namespace"),
        (yaml.dump(thing("x", status={})), "unknown field status"),
    ],
)
def test_a_file_that_is_no_backup_is_refused_before_anything_is_applied(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as told:
        backup.read(path)
    assert why in told.value.detail


def test_the_commands_say_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert maintenance.main(["restore"], {}) == 1
    assert "this is no pod of a cluster" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        maintenance.main(["backup", "--folder", str(tmp_path), "--keep", "0"], {})
    assert wrong.value.code == 2
    assert maintenance.main(["crds", "apply", "--kubeconfig", str(tmp_path / "none")], {}) == 1
    assert "cannot be read as a kubeconfig" in capsys.readouterr().err


def test_restore_takes_the_newest_file_and_tells_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup.write([thing("old")], tmp_path, NOW, keep=5)
    backup.write([thing("new")], tmp_path, NOW + 60, keep=5)
    cluster = FakeCluster()
    chosen = maintenance.parser().parse_args(["restore", "--folder", str(tmp_path)])
    assert asyncio.run(maintenance.run(chosen, cluster, NOW)) == 0
    assert cluster.names(PIPELINES) == ["new"]
    assert "1 of 1 resources" in capsys.readouterr().out
    empty = maintenance.parser().parse_args(["restore", "--folder", str(tmp_path / ".."), "--file", "x"])
    with pytest.raises(InvalidInput):
        asyncio.run(maintenance.run(empty, cluster, NOW))
