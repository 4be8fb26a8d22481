"""Keeping Phoenix's resources as files, and putting them back: specs and what people wrote beside them.

Not kept: statuses, whatever the API server or an operator adds, loads that have ended (they would run again), and what
the control plane made (it makes that again itself). Nothing secret is in a resource: Secrets are named, never held.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from chalicelib.domain.errors import InvalidInput, PhoenixError
from chalicelib.domain.kubernetes import experiment_mirror, load_job, process_pipeline
from chalicelib.domain.kubernetes.resource import API_VERSION, CONTROL_PLANE, MANAGED_BY
from chalicelib.domain.load import LoadPhase
from operators.engine.cluster import Cluster
from operators.engine.objects import Kind, Object, key_of

KINDS = tuple(Kind(API_VERSION, room.PLURAL, room.KIND) for room in (process_pipeline, load_job, experiment_mirror))
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAX_BYTES = 256 * 1024**2
_FILE = re.compile(r"phoenix-\d{8}T\d{6}Z\.yaml")


async def collect(cluster: Cluster, namespaces: Sequence[str] = ()) -> list[dict[str, Any]]:
    """All resources worth keeping, as documents to apply. namespaces: none is all of them."""
    found: list[dict[str, Any]] = []
    for kind in KINDS:
        for namespace in namespaces or ("",):
            things = await cluster.list(kind, namespace)
            found += [_document(kind, thing) for thing in sorted(things, key=key_of) if _is_kept(thing)]
    return found


def write(documents: Sequence[Mapping[str, Any]], folder: Path, now: float, keep: int) -> Path:
    """The file with these documents, of Unix second `now`; it appears whole or not at all, readable by its owner. Of
    older ones the newest stay, `keep` files together. Raises OSError."""
    name = datetime.fromtimestamp(now, UTC).strftime("phoenix-%Y%m%dT%H%M%SZ.yaml")
    folder.mkdir(parents=True, exist_ok=True)
    part, path = folder / f".{name}.part", folder / name
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            yaml.safe_dump_all(documents, file, sort_keys=False, explicit_start=True)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for old in kept(folder)[keep:]:
        old.unlink(missing_ok=True)
    return path


def kept(folder: Path) -> list[Path]:
    """The files in a folder, newest first."""
    return sorted((path for path in folder.iterdir() if _FILE.fullmatch(path.name)), reverse=True)


def read(path: Path) -> list[dict[str, Any]]:
    """The documents of a file. Raises InvalidInput naming the document and what is wrong with it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_BYTES // 1024**2} MiB; a backup never is")
        documents = [one for one in yaml.safe_load_all(path.read_text("utf-8")) if one is not None]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path} cannot be read as YAML") from error
    for number, one in enumerate(documents, 1):
        if why := _wrong(one):
            raise InvalidInput(f"{path}: document {number}: {why}")
    return documents


async def put_back(cluster: Cluster, documents: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Apply each. Name ("Kind namespace/name") and why it was refused ("" when it was not): one that is refused keeps
    no other from being put back. Raises Unavailable when the API server is away."""
    kinds = {kind.kind: kind for kind in KINDS}
    done = []
    for document in documents:
        key = key_of(document)
        name = f"{document['kind']} {key.namespace}/{key.name}"
        try:
            await cluster.apply(kinds[document["kind"]], document)
        except PhoenixError as error:
            if error.status >= 500:
                raise
            done.append((name, error.detail))
        else:
            done.append((name, ""))
    return done


def _is_kept(thing: Object) -> bool:
    metadata, status = thing["metadata"], thing.get("status") or {}
    if metadata.get("deletionTimestamp") or metadata.get("labels", {}).get(MANAGED_BY) == CONTROL_PLANE:
        return False
    phase = status.get("phase")
    return not (thing["kind"] == load_job.KIND and phase in set(LoadPhase) and LoadPhase(phase).ended)


def _document(kind: Kind, thing: Object) -> dict[str, Any]:
    metadata = thing["metadata"]
    kept: dict[str, Any] = {"name": metadata["name"], "namespace": metadata["namespace"]}
    if labels := metadata.get("labels"):
        kept["labels"] = dict(labels)
    if annotations := {k: v for k, v in metadata.get("annotations", {}).items() if k != LAST_APPLIED}:
        kept["annotations"] = annotations
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": kept, "spec": thing["spec"]}


def _wrong(document: Any) -> str:
    """What makes a document none of a backup; "" when it is one."""
    if not isinstance(document, dict) or document.get("apiVersion") != API_VERSION:
        return f"not of apiVersion {API_VERSION}"
    if document.get("kind") not in {kind.kind for kind in KINDS}:
        return f"kind {str(document.get('kind'))[:64]!r} is none of Phoenix's"
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not all(
        isinstance(metadata.get(field), str) for field in ("name", "namespace")
    ):
        return "its metadata has no name, or no namespace"
    if unknown := document.keys() - {"apiVersion", "kind", "metadata", "spec"}:
        return f"unknown field {sorted(map(str, unknown))[0][:64]}"
    return ""
