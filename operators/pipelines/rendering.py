"""From a spec to the configuration of its collectors and the variables that it reads. Pure: the catalog is an argument.

Whatever is secret, or differs from node to node, is an environment reference in the configuration. The domain's
assembly takes literal addresses and names, so it is given stand-ins, which are put right in the finished tree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.domain.errors import InvalidInput, Problem
from chalicelib.domain.experiment.spec import Backend
from chalicelib.domain.kubernetes.exchange import HOST_VARIABLE
from chalicelib.domain.kubernetes.process_pipeline import PhoenixProcessPipelineSpec, PipelineVariant, SecretBackend
from chalicelib.domain.kubernetes.resource import SecretKey
from chalicelib.domain.measurement import Variant
from chalicelib.domain.pipeline.assembly import assemble
from chalicelib.domain.pipeline.metadata import PipelineTemplate
from chalicelib.domain.pipeline.rendering import Fragment, render
from chalicelib.domain.pipeline.request import (
    DEFAULT_MEMORY_LIMIT_MIB,
    TOKEN_VARIABLE,
    AssemblyArm,
    AssemblyRequest,
    Kpi,
)
from operators.pipelines.names import KPI_ENDPOINT_VARIABLE
from operators.pipelines.quantity import quantity

OWN_CONFIGURATION = "own configuration"
_HOST = "host-that-every-node-replaces"
_KPI = "https://kpi.stand-in.invalid"
_BACKEND = "https://{}.backend.stand-in.invalid"
_MIB = 1024 * 1024
_LIMITER_SHARE = 0.8
"""Of the container's memory: above it the kernel ends the collector, so the limiter must refuse before."""
_LEAST_MIB = 50


class Templates(Protocol):
    """The catalog, as far as rendering needs it."""

    def get(self, name: str) -> PipelineTemplate:
        """The pipeline of a name or an alias. Raises NotFound, which lists near names."""


@dataclass(frozen=True)
class SecretVariable:
    """An environment variable of the collector, and the Secret's key it comes from."""

    name: str
    secret: SecretKey


@dataclass(frozen=True)
class Rendered:
    """label: how people call it. config: what was asked for; its `config_hash` is what a collector must give back."""

    label: str
    config: dict[str, Any]
    variables: tuple[SecretVariable, ...]


def rendered(spec: PhoenixProcessPipelineSpec, own_scope: str, catalog: Templates) -> Rendered:
    """The configuration of a spec. own_scope: whose its counts are when the spec names no other.

    Raises InvalidInput or NotFound, whose words are for whoever wrote the resource.
    """
    variables = [*_kpi_variables(spec), *_backend_variables(spec.variants)]
    if spec.config is not None:
        return Rendered(OWN_CONFIGURATION, spec.config, tuple(variables))
    arms = tuple(_arm(variant, catalog, index) for index, variant in enumerate(spec.variants))
    kpi = Kpi(endpoint=_KPI, scope=spec.kpi.scope or own_scope, host=_HOST) if spec.kpi else None
    tree = assemble(
        AssemblyRequest(
            interval_s=spec.interval,
            critical=spec.critical,
            arms=arms,
            kpi=kpi,
            memory_limit_mib=_memory_limit(spec),
        )
    )
    if kpi is None:
        _name_host(tree, arms)
    config = _put_right(tree, _stand_ins(spec.variants))
    label = " against ".join(variant.label() for variant in spec.variants)
    return Rendered(label[:300], config, tuple(variables))


def _arm(variant: PipelineVariant, catalog: Templates, index: int) -> AssemblyArm:
    pointer = f"/spec/variants/{index}"
    template = catalog.get(variant.pipeline)
    if variant.version is not None and variant.version != template.metadata.version:
        own = "own pipelines come as a config; " if variant.is_own else ""
        raise InvalidInput(
            f"{variant.pipeline} has version {template.metadata.version} here, not {variant.version}",
            problems=(Problem(f"{pointer}/version", "not in this operator's catalog", f"{own}leave version out"),),
        )
    return AssemblyArm(
        variant=Variant(variant.name), fragment=_fragment(template, variant, pointer), backend=_backend(variant)
    )


def _fragment(template: PipelineTemplate, variant: PipelineVariant, pointer: str) -> Fragment:
    try:
        return render(template, variant.parameters)
    except InvalidInput as error:
        problems = tuple(
            Problem(f"{pointer}/parameters{problem.pointer}", problem.rule, problem.fix) for problem in error.problems
        )
        raise InvalidInput(f"{pointer}/parameters: {error.detail}", problems=problems, hint=error.hint) from error


def _backend(variant: PipelineVariant) -> Backend | None:
    backend = variant.backend
    if backend is None:
        return None
    address = _BACKEND.format(variant.name)
    headers = {name: f"${{env:{_header_variable(variant.name, name)}}}" for name in backend.headers}
    if backend.protocol == "remoteWrite":
        return Backend(remote_write=address, headers=headers)
    return Backend(otlp=address, headers=headers)


def _kpi_variables(spec: PhoenixProcessPipelineSpec) -> list[SecretVariable]:
    if spec.kpi is None:
        return []
    name = spec.kpi.secret_ref.name
    return [
        SecretVariable(TOKEN_VARIABLE, SecretKey(name=name, key="token")),
        SecretVariable(KPI_ENDPOINT_VARIABLE, SecretKey(name=name, key="endpoint")),
    ]


def _backend_variables(variants: Sequence[PipelineVariant]) -> list[SecretVariable]:
    found: list[SecretVariable] = []
    for variant in variants:
        if variant.backend is not None:
            found.append(SecretVariable(_url_variable(variant.name), variant.backend.url))
            found += _header_variables(variant.name, variant.backend)
    return found


def _header_variables(variant: str, backend: SecretBackend) -> list[SecretVariable]:
    return [SecretVariable(_header_variable(variant, name), key) for name, key in sorted(backend.headers.items())]


def _url_variable(variant: str) -> str:
    return f"PHOENIX_BACKEND_{variant.upper()}_URL"


def _header_variable(variant: str, header: str) -> str:
    """Header names differ in more than letters and digits alone only by "-": no two are the same variable."""
    return f"PHOENIX_BACKEND_{variant.upper()}_HEADER_{re.sub('-', '_', header)}"


def _memory_limit(spec: PhoenixProcessPipelineSpec) -> int:
    limit = quantity(spec.resources.limits.memory) if spec.resources.limits.memory else None
    if limit is None:
        return DEFAULT_MEMORY_LIMIT_MIB
    return max(min(int(float(limit) * _LIMITER_SHARE / _MIB), DEFAULT_MEMORY_LIMIT_MIB), _LEAST_MIB)


def _name_host(tree: dict[str, Any], arms: Sequence[AssemblyArm]) -> None:
    """Without counts the assembly knows no host, and the series of all nodes would fall together in the backend."""
    for arm in arms:
        attributes = tree["processors"][f"resource/{arm.variant.value}"]["attributes"]
        attributes.append({"key": "host.name", "value": _HOST, "action": "insert"})


def _stand_ins(variants: Sequence[PipelineVariant]) -> dict[str, str]:
    """Stand-in to the reference that takes its place."""
    urls = {_BACKEND.format(variant.name): f"${{env:{_url_variable(variant.name)}}}" for variant in variants}
    return {_HOST: f"${{env:{HOST_VARIABLE}}}", _KPI: f"${{env:{KPI_ENDPOINT_VARIABLE}}}", **urls}


def _put_right(tree: Any, stand_ins: Mapping[str, str]) -> Any:
    if isinstance(tree, Mapping):
        return {name: _put_right(value, stand_ins) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_put_right(value, stand_ins) for value in tree]
    if isinstance(tree, str):
        for stand_in, reference in stand_ins.items():
            if tree == stand_in or tree.startswith(f"{stand_in}/"):
                return reference + tree[len(stand_in) :]
    return tree
