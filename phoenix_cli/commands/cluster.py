"""`phoenix cluster`: let Kubernetes clusters in, show them, test them, rotate their credentials, remove them."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from chalicelib.domain.cluster.cluster import CLUSTER_NAME
from chalicelib.domain.cluster.orders import TOKEN_SECRET
from chalicelib.domain.errors import InvalidInput
from phoenix_cli.client import connect
from phoenix_cli.kubeconfig import reduce_kubeconfig, server, token_credentials
from phoenix_cli.manifests.rendering import checked, render
from phoenix_cli.output import Output, OutputOption, emit, note, rows
from phoenix_cli.profile import load_profile
from phoenix_cli.show.fleet.clusters import cluster_view, clusters_table, rights_view

app = typer.Typer(no_args_is_help=True, help="Kubernetes clusters: each of their nodes is a host.")
PATH = "/api/v1/clusters"
NameArgument = Annotated[str, typer.Argument(help="Name of the cluster in Phoenix.")]
KubeconfigOption = Annotated[Path | None, typer.Option("--kubeconfig", help="Take address and credentials from it.")]
ContextOption = Annotated[str | None, typer.Option("--context", help="Of the kubeconfig; default: the current one.")]
TokenFileOption = Annotated[Path | None, typer.Option("--token-file", help="File with a ServiceAccount's token.")]
EndpointOption = Annotated[
    str | None, typer.Option("--endpoint", help="Where the nodes reach this control plane; default: where you do.")
]
_WAYS = "--kubeconfig FILE, --eks NAME --region REGION, --server URL --ca FILE --token-file FILE, or --pull"


@app.command("register")
def register(
    name: NameArgument,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    eks: Annotated[str | None, typer.Option("--eks", help="Name of a cluster of Amazon EKS.")] = None,
    region: Annotated[str | None, typer.Option("--region", help="AWS region of it.")] = None,
    url: Annotated[str | None, typer.Option("--server", help="https URL of the cluster's API.")] = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="File with the CA (PEM) of that server.")] = None,
    token_file: TokenFileOption = None,
    pull: Annotated[bool, typer.Option("--pull", help="The operator there calls; nobody calls it.")] = False,
    namespace: Annotated[str, typer.Option(help="Where Phoenix's resources live there.")] = "phoenix",
    label: Annotated[list[str] | None, typer.Option(help="key=value for every node's host; may repeat.")] = None,
    endpoint: EndpointOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register a cluster and print the Secret that its nodes need, once: pipe it into kubectl apply -f -."""
    body: dict[str, Any] = {"name": name, "namespace": namespace, "labels": _labels(label or [])}
    if not re.fullmatch(CLUSTER_NAME, name):
        raise InvalidInput(
            f"{name!r} is no name for a cluster", hint="lower-case letters, digits and -, at most 40, such as prod-1"
        )
    ways = [kubeconfig is not None, eks is not None, url is not None, pull]
    if sum(ways) != 1:
        raise InvalidInput("say how the cluster is reached, one way", hint=_WAYS)
    if kubeconfig is not None:
        found = reduce_kubeconfig(kubeconfig, context)
        body |= {"server": found.server, "credentials": found.credentials}
    elif eks is not None:
        if region is None:
            raise InvalidInput("--eks needs --region")
        body["eks"] = {"clusterName": eks, "region": region}
    elif url is not None:
        if ca is None or token_file is None:
            raise InvalidInput("--server needs --ca and --token-file")
        body |= {"server": server(url, ca), "credentials": token_credentials(token_file)}
    else:
        body["mode"] = "pull"
    made = connect().post(PATH, body)
    _emit_token(made, endpoint, output)
    note(f"cluster {name} is registered; this is the only time its token is shown")
    note("apply the Secret there: phoenix cluster register … | kubectl apply -f -")


@app.command("list")
def listing(output: OutputOption = Output.TABLE) -> None:
    """List clusters, and since when one is unreachable."""
    emit(connect().items(PATH), output, rows(clusters_table))


@app.command("show")
def show(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Show a cluster with its nodes, their hosts, and how what is wanted stands there."""
    emit(connect().get(f"{PATH}/{name}"), output, cluster_view)


@app.command("test")
def call(name: NameArgument, output: OutputOption = Output.TABLE) -> None:
    """Call a cluster now and list the rights that are needed. Exit code 1 when one is missing."""
    found = connect().post(f"{PATH}/{name}/test")
    emit(found, output, rights_view)
    if not found["reached"] or not all(right["allowed"] for right in found["rights"]):
        raise typer.Exit(1)


@app.command("rotate")
def rotate(
    name: NameArgument,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    token_file: TokenFileOption = None,
    revoke_now: Annotated[bool, typer.Option("--revoke-now", help="Refuse the old token at once.")] = False,
    endpoint: EndpointOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give new credentials (none: as before) and print the Secret with the nodes' new token, once.

    The old token is good until the new one was used.
    """
    body: dict[str, Any] = {"atOnce": revoke_now}
    if kubeconfig is not None:
        body["credentials"] = reduce_kubeconfig(kubeconfig, context).credentials
    elif token_file is not None:
        body["credentials"] = token_credentials(token_file)
    made = connect().post(f"{PATH}/{name}/rotate", body)
    _emit_token(made, endpoint, output)
    note("apply the Secret there, then start the collectors anew: kubectl rollout restart daemonset")


@app.command("remove")
def remove(
    name: NameArgument,
    force: Annotated[bool, typer.Option("--force", help="Though experiments or deployments hold nodes.")] = False,
) -> None:
    """Delete what Phoenix has there, forget its hosts and credentials, revoke its token."""
    found = connect().delete(f"{PATH}/{name}", force=str(force).lower())
    note(f"cluster {name} is removed")
    if found["left"]:
        note(f"attention: {found['left']}")


@app.command("manifest")
def manifest(
    name: NameArgument,
    operator_image: Annotated[str, typer.Option("--operator-image", help="With its tag or digest.")],
    collector_image: Annotated[str, typer.Option("--collector-image", help="With its tag or digest.")],
    pull: Annotated[bool, typer.Option("--pull", help="For a cluster whose operator calls.")] = False,
    namespace: Annotated[str, typer.Option(help="Where Phoenix's resources live there.")] = "phoenix",
    endpoint: EndpointOption = None,
    crds: Annotated[bool, typer.Option(help="With the resource definitions.")] = True,
) -> None:
    """Print what a cluster needs, with the least rights there are, for kubectl apply --server-side -f -."""
    values = checked(
        mode="pull" if pull else "push",
        cluster=name,
        namespace=namespace,
        operator_image=operator_image,
        collector_image=collector_image,
        endpoint=endpoint or (load_profile(os.environ).url if pull else ""),
        crds=crds,
    )
    sys.stdout.write(render(values))


def _emit_token(made: dict[str, Any], endpoint: str | None, output: Output) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": TOKEN_SECRET, "namespace": made["cluster"]["namespace"]},
        "type": "Opaque",
        "stringData": {"endpoint": endpoint or load_profile(os.environ).url, "token": made["token"]},
    }
    emit({**made, "secret": secret}, output, lambda value: yaml.safe_dump(value["secret"], sort_keys=False).rstrip())


def _labels(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        key, separator, value = text.partition("=")
        if not key or not separator:
            raise InvalidInput(f"--label {text!r} is not key=value")
        found[key] = value
    return found
