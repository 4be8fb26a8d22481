"""Every pipeline that a tenant can use, found by name and version: the catalog's and the tenant's own. Making one's own
is `own_pipelines`' work, filling one in `pipelines`'.

A name never means two things: a tenant cannot take a name of the catalog, and when a later catalog brings a name that
a tenant has, the plain name is refused until its user says which is meant.
"""

from __future__ import annotations

import difflib
import re
from typing import Protocol

from chalicelib.domain.errors import InvalidInput, NotFound, Problem
from chalicelib.domain.pipeline.metadata import OWN_VERSION, PipelineMetadata, PipelineTemplate
from chalicelib.domain.pipeline.own import OwnPipeline, described, template_of, version_key
from chalicelib.ports.catalog import Catalog
from chalicelib.repositories.records import Records

_OWN = re.compile(OWN_VERSION)


class Library(Protocol):
    """Pipelines by name and version."""

    def get(self, tenant: str, name: str, version: str | None = None) -> PipelineTemplate:
        """The pipeline; without a version the newest. A version of a tenant's own pipeline is found also after its
        deletion, because what was made with it must still be shown.

        Raises NotFound with near names, InvalidInput for a name that both the catalog and the tenant have (problem
        "/pipeline") and for a version that is not there (problem "/version").
        """

    def pin(self, tenant: str, name: str, version: str | None = None) -> str | None:
        """The version that a new use of the pipeline must hold on to: the number of a tenant's own one, and for one of
        the catalog what was asked for, as a release has one version only. Raises what `get` raises, and NotFound for a
        pipeline that was deleted.
        """


class CatalogLibrary:
    """Implements Library with the catalog alone; needs no store."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def get(self, tenant: str, name: str, version: str | None = None) -> PipelineTemplate:
        """See Library."""
        return _of_release(self._catalog.get(name), name, version)

    def pin(self, tenant: str, name: str, version: str | None = None) -> str | None:
        """See Library."""
        self.get(tenant, name, version)
        return version


class TenantLibrary:
    """Implements Library with the catalog and what tenants made."""

    def __init__(self, catalog: Catalog, records: Records) -> None:
        self._catalog, self._records = catalog, records

    def get(self, tenant: str, name: str, version: str | None = None) -> PipelineTemplate:
        """See Library."""
        if version is not None and _OWN.fullmatch(version):
            return self._own(tenant, name, int(version))
        found = self.in_catalog(name)
        mine = self.own(tenant, name) if version is None else None
        if found is not None and mine is not None:
            raise _twice(name, found.metadata.version, mine.number)
        if mine is not None:
            return self._own(tenant, name, mine.number)
        if found is None:
            if version is not None and self.own(tenant, name) is not None:
                raise _no_version(name, version, "versions of your own pipelines are counted: 1, 2, 3")
            raise self._missing(tenant, name)
        return _of_release(found, name, version)

    def pin(self, tenant: str, name: str, version: str | None = None) -> str | None:
        """See Library."""
        found = self.get(tenant, name, version).metadata.version
        if not _OWN.fullmatch(found):
            return version
        if self.own(tenant, name) is None:
            fix = f"create it again, or choose another one: phoenix pipeline create {name}"
            raise NotFound(f"pipeline {name!r} was deleted", hint=fix)
        return found

    def page(
        self, tenant: str, limit: int = 100, cursor: str | None = None
    ) -> tuple[list[PipelineMetadata], list[OwnPipeline], str | None]:
        """The whole catalog (with the first page), a page of the tenant's own, and the cursor of the next."""
        found, following = self._records.pipelines.page(tenant, limit, cursor)
        release = [] if cursor else [self._catalog.get(name).metadata for name in self._catalog.names()]
        return release, [one.value for one in found if one.value.deleted_at is None], following

    def in_catalog(self, name: str) -> PipelineTemplate | None:
        """The catalog's pipeline of this name or alias, or None."""
        try:
            return self._catalog.get(name)
        except NotFound:
            return None

    def own(self, tenant: str, name: str) -> OwnPipeline | None:
        """The tenant's own pipeline of this name, or None when there is none or it was deleted."""
        found = self._records.pipelines.find(tenant, name)
        return found.value if found and found.value.deleted_at is None else None

    def _own(self, tenant: str, name: str, number: int) -> PipelineTemplate:
        key = version_key(name, number)
        version = self._records.pipeline_versions.find(tenant, key)
        content = self._records.pipeline_contents.find(tenant, key)
        if version is None or content is None:
            if self._records.pipelines.find(tenant, name) is None:
                raise self._missing(tenant, name)
            raise _no_version(name, str(number), f"see: phoenix pipeline versions {name}")
        spec = content.value.spec
        return template_of(described(name, str(number), spec, version.value.note), spec)

    def _missing(self, tenant: str, name: str) -> NotFound:
        mine = [found.value.name for found in self._records.pipelines.all(tenant) if found.value.deleted_at is None]
        near = difflib.get_close_matches(name, [*self._catalog.names(), *mine], n=3, cutoff=0.5)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        return NotFound(f"there is no pipeline {name[:80]!r}", hint=f"{meant}see: phoenix pipeline list")


def _of_release(template: PipelineTemplate, name: str, version: str | None) -> PipelineTemplate:
    has = template.metadata.version
    if version in (None, has):
        return template
    raise _no_version(name, str(version), f"this release of Phoenix has {has}; leave the version out")


def _no_version(name: str, version: str, fix: str) -> InvalidInput:
    rule = f"{name} has no version {version}"
    return InvalidInput(rule, problems=(Problem("/version", rule, fix),), hint=fix)


def _twice(name: str, release: str, number: int) -> InvalidInput:
    rule = f"{name} is a pipeline of the catalog and one of your own"
    fix = f"say which: version {number} is yours, version {release} the catalog's; or create yours under another name"
    return InvalidInput(rule, problems=(Problem("/pipeline", rule, fix),), hint=fix)
