"""The operators' commands that run once and end: `crds apply`, `backup`, `restore`, `check`. The chart's hooks and jobs
run them. Not here: the operators themselves.

Exit codes: 0 done, 1 something was refused or could not be done, 2 called wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from chalicelib.domain.errors import InvalidInput, PhoenixError
from operators.engine.client import KubeClient
from operators.engine.cluster import Cluster
from operators.engine.credentials import Credentials, from_kubeconfig, in_cluster
from operators.runtime import backup
from operators.runtime.check import answered
from operators.runtime.definitions import apply_definitions

COMMANDS = ("crds", "backup", "restore", "check")
MANAGER = "phoenix-maintenance"
"""Field manager of what these commands apply: who then owns a restored field is told by it."""


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one of COMMANDS; progress goes to the output, errors to the error output."""
    chosen = parser().parse_args(arguments)
    try:
        return asyncio.run(_connected(chosen, environment))
    except PhoenixError as error:
        print(f"error: {error.detail}" + (f"\n  {error.hint}" if error.hint else ""), file=sys.stderr)
    except OSError as error:
        print(f"error: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    whole = argparse.ArgumentParser(prog="python -m operators", description=__doc__.partition("\n")[0])
    commands = whole.add_subparsers(dest="command", required=True)
    crds = commands.add_parser("crds", help="the custom resource definitions of this release")
    crds.add_argument("action", choices=["apply"], help="put them into the cluster and wait until they are served")
    saves = commands.add_parser("backup", help="write all resources of Phoenix into a file")
    saves.add_argument("--folder", type=Path, required=True, help="where phoenix-TIME.yaml is written")
    saves.add_argument("--keep", type=_count, default=14, help="files kept there, the new one included (default: 14)")
    saves.add_argument("--namespace", action="append", default=[], help="only this one; may be repeated")
    restores = commands.add_parser("restore", help="apply the resources of such a file")
    restores.add_argument("--file", type=Path, help="the file")
    restores.add_argument("--folder", type=Path, help="the newest file of this folder, in place of --file")
    checks = commands.add_parser("check", help="whether the operators answer: write a pipeline for no node, and wait")
    checks.add_argument("--namespace", required=True, help="where the pipeline is written and deleted again")
    for command in (crds, saves, restores, checks):
        command.add_argument("--kubeconfig", type=Path, help="outside a pod: how the cluster is reached")
        command.add_argument("--context", default="", help="its context (default: the current one)")
    return whole


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number from 1 to 10000")
    return int(text)


async def _connected(chosen: argparse.Namespace, environment: Mapping[str, str]) -> int:
    client = KubeClient(_credentials(chosen, environment), manager=MANAGER, now=time.time)
    try:
        return await run(chosen, client, time.time())
    finally:
        await client.close()


def _credentials(chosen: argparse.Namespace, environment: Mapping[str, str]) -> Credentials:
    if chosen.kubeconfig:
        return from_kubeconfig(chosen.kubeconfig, chosen.context)
    found = in_cluster(environment)
    if found is None:
        raise InvalidInput("this is no pod of a cluster; name one", hint="--kubeconfig FILE [--context NAME]")
    return found


async def run(chosen: argparse.Namespace, cluster: Cluster, now: float) -> int:
    """One command against a cluster. now: Unix seconds. The exit code."""
    if chosen.command == "crds":
        for name in await apply_definitions(cluster, asyncio.sleep):
            print(f"{name} is served")
        return 0
    if chosen.command == "backup":
        documents = await backup.collect(cluster, chosen.namespace)
        path = backup.write(documents, chosen.folder, now, chosen.keep)
        print(f"{len(documents)} resources in {path}")
        return 0
    if chosen.command == "check":
        print(await answered(cluster, chosen.namespace, asyncio.sleep))
        return 0
    return await _restore(chosen, cluster)


async def _restore(chosen: argparse.Namespace, cluster: Cluster) -> int:
    if (chosen.file is None) == (chosen.folder is None):
        raise InvalidInput("name either --file, or --folder for its newest file")
    path = chosen.file or next(iter(backup.kept(chosen.folder)), None)
    if path is None:
        raise InvalidInput(f"{chosen.folder} has no backup", hint="files are called phoenix-TIME.yaml")
    done = await backup.put_back(cluster, backup.read(path))
    for name, why in done:
        print(f"{name}: refused: {why}" if why else f"{name}: put back", file=sys.stderr if why else sys.stdout)
    refused = sum(bool(why) for _, why in done)
    print(f"{len(done) - refused} of {len(done)} resources of {path.name} put back")
    return 1 if refused else 0
