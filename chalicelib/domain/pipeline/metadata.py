"""What a pipeline is: its description, its parameters and its template. No rendering, no reading of files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from chalicelib.domain.model import Value

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"
OWN_VERSION = r"^[1-9][0-9]{0,5}$"
"""Versions of a tenant's own pipelines are counted: the form of a version says whose pipeline it is of."""
VERSION = f"{SEMVER}|{OWN_VERSION}"
PROCESSOR_ID = r"^[a-z][a-z0-9_]*(/[A-Za-z0-9][A-Za-z0-9_.-]{0,62})?$"

BUILT_IN = ("interval_ns", "forget_process", "forget_group")
"""Placeholders that assembly fills in; see rendering.built_in."""

Scalar = bool | int | float | str
ParameterValue = Scalar | list[str]


class ParameterType(StrEnum):
    """How a value is read and written. SHARE is a fraction of one; REGEXES means "any of these" (RE2)."""

    INT = "int"
    NUMBER = "number"
    BYTES = "bytes"
    SHARE = "share"
    BOOL = "bool"
    STRING = "string"
    REGEX = "regex"
    REGEXES = "regexes"


class Parameter(Value):
    """One knob of a pipeline."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    type: ParameterType
    unit: str = ""
    minimum: float | None = None
    """Smallest legal value (in the unit), for numbers."""
    maximum: float | None = None
    """Largest legal value; for text the greatest length, for `regexes` the greatest number of patterns."""
    default: ParameterValue
    description: str = Field(min_length=1)
    """Why one would change it."""

    @model_validator(mode="after")
    def _bounded(self) -> Parameter:
        if self.name in BUILT_IN:
            raise ValueError(f"{self.name} is filled in by Phoenix; give the parameter another name")
        if self.type is not ParameterType.BOOL and self.maximum is None:
            raise ValueError(f"parameter {self.name} needs a maximum: nothing a user gives is unbounded")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"parameter {self.name}: minimum {self.minimum} is above maximum {self.maximum}")
        return self


class Effect(Value):
    """A measured figure and the conditions it was measured under. Never an expectation."""

    figure: str = Field(min_length=1)
    conditions: str = Field(min_length=1)


class Change(Value):
    """One line of the changelog."""

    version: str = Field(pattern=VERSION)
    text: str = Field(min_length=1)


class PipelineMetadata(Value):
    """The description of a pipeline."""

    name: str = Field(pattern=NAME)
    version: str = Field(pattern=VERSION)
    title: str = Field(min_length=1, max_length=80)
    description: str = Field(min_length=1)
    parameters: tuple[Parameter, ...] = ()
    keeps: tuple[str, ...] = ()
    """Metrics in the output; empty where nobody said."""
    effect: tuple[Effect, ...] = ()
    backends: tuple[Literal["cumulative", "delta"], ...] = ()
    """Temporality of the counters in the output; empty where nobody said."""
    names: str = ""
    """How process names are treated."""
    changelog: tuple[Change, ...] = ()
    aliases: tuple[Annotated[str, Field(pattern=NAME)], ...] = ()
    """Other names that mean this pipeline; it is listed and recorded under its own name only."""

    @model_validator(mode="after")
    def _distinct(self) -> PipelineMetadata:
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise ValueError("a parameter is declared twice")
        return self


class CatalogMetadata(PipelineMetadata):
    """The description of a pipeline of the catalog, as `metadata.yaml` holds it: nothing is left unsaid there."""

    version: str = Field(pattern=SEMVER)
    keeps: tuple[str, ...] = Field(min_length=1)
    backends: tuple[Literal["cumulative", "delta"], ...] = Field(min_length=1)
    names: str = Field(min_length=1)
    changelog: tuple[Change, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told(self) -> CatalogMetadata:
        if self.version not in {change.version for change in self.changelog}:
            raise ValueError(f"the changelog has no line for version {self.version}")
        return self


class PipelineTemplate(Value):
    """A pipeline ready to be filled in: processors with `@{parameter}` placeholders, in their order.

    scraper_metrics: optional metrics of the process scraper that the processors read and drop again.
    """

    metadata: PipelineMetadata
    processors: dict[str, dict[str, Any]] = Field(default_factory=dict)
    order: tuple[Annotated[str, Field(pattern=PROCESSOR_ID)], ...] = ()
    scraper_metrics: tuple[Annotated[str, Field(pattern=r"^process\.[a-z_.]+$")], ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> PipelineTemplate:
        if sorted(self.order) != sorted(self.processors):
            odd = sorted(set(self.order) ^ set(self.processors)) or ["an id stands twice in order"]
            raise ValueError(f"order and processors must name the same ids once each: {', '.join(odd)}")
        return self
