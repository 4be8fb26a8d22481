"""A tenant's own pipelines: create, update, delete, their versions. Nothing is stored before it is validated, and no
version is ever changed. Reading and validating is `drafts`' work, finding is `library`'s, filling in is `pipelines`'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.domain.errors import Conflict, InvalidInput, NotFound, Problem
from chalicelib.domain.pipeline.own import (
    MAX_KEPT_FINDINGS,
    MAX_NAMES,
    MAX_PIPELINES,
    MAX_VERSIONS,
    Checked,
    OwnContent,
    OwnPipeline,
    OwnVersion,
    described,
    spec_of,
    version_key,
)
from chalicelib.domain.pipeline.own_document import Written, document
from chalicelib.domain.validation.findings import Report
from chalicelib.ports.items import ABSENT
from chalicelib.repositories.documents import Stored
from chalicelib.services.context import Context, retrying
from chalicelib.services.pipelines.drafts import Draft, Drafts
from chalicelib.services.pipelines.library import TenantLibrary
from chalicelib.services.pipelines.pipeline_uses import PipelineUses


@dataclass(frozen=True)
class Made:
    """What came of a draft. version: None after a dry run that would have made one. new: whether a version was added;
    False also when the newest one has this very content."""

    name: str
    written: Written
    report: Report
    version: OwnVersion | None = None
    new: bool = False


@dataclass(frozen=True)
class Quotas:
    """Of one tenant. names: those of deleted pipelines counted. versions: of one name."""

    pipelines: int = MAX_PIPELINES
    names: int = MAX_NAMES
    versions: int = MAX_VERSIONS


class OwnPipelines:
    """All of one control plane; a tenant sees its own only."""

    def __init__(self, context: Context, library: TenantLibrary, drafts: Drafts, quotas: Quotas | None = None) -> None:
        self._context, self._records = context, context.records
        self._library, self._drafts, self._quotas = library, drafts, quotas or Quotas()
        self._uses = PipelineUses(context.records)

    def create(self, tenant: str, name: str | None, draft: Draft, actor: str, *, dry_run: bool = False) -> Made:
        """A new pipeline with its first version; `name` wins over the file's own.

        Raises InvalidInput (a file that is no pipeline, a name of the catalog), Conflict (the name is taken, the
        quota is used up), Rejected (an error of validation; with `strict` also a warning), Unavailable (it cannot be
        validated). Nothing exists then. To create once more what is there already is no error and changes nothing.
        """
        found = self._drafts.read(draft)
        name = name or found.name
        if name is None:
            problem = Problem("/metadata/name", "missing", "give a name with the command, or in the document")
            raise InvalidInput("the pipeline has no name", problems=(problem,), hint=problem.fix)
        self._refuse_catalog_name(name)
        there = self._living(tenant, name)
        if there is None:
            if holder := self._uses.by_name_alone(tenant, name):
                raise _remembered(name, holder)
            self._refuse_over_quota(tenant, name)
        elif there.content_hash != found.spec.content_hash():
            raise _taken(name)
        return self._make(tenant, name, found, draft, actor, dry_run=dry_run, new=True)

    def update(self, tenant: str, name: str, draft: Draft, actor: str, *, dry_run: bool = False) -> Made:
        """A new version of a pipeline, or none when the newest one has the same content. Raises NotFound and what
        `create` raises."""
        there = self._get(tenant, name).value
        found = self._drafts.read(draft, there.metadata.title)
        return self._make(tenant, name, found, draft, actor, dry_run=dry_run, new=False)

    def delete(self, tenant: str, name: str, actor: str) -> None:
        """The name goes; its versions are kept for what was compared with them, so that a use which begins at the same
        moment loses nothing. Raises NotFound, Conflict naming the experiments and deployments that use it now."""
        self._get(tenant, name)
        if users := self._uses.now(tenant, name):
            hint = (
                "end the experiment (phoenix experiment stop), deploy another pipeline or delete the deployment first"
            )
            raise Conflict(f"pipeline {name!r} is used by {', '.join(users)}", hint=hint)

        def attempt() -> None:
            stored = self._get(tenant, name)
            now = self._context.clock.now()
            gone = stored.value.model_copy(update={"deleted_at": now, "updated_at": now, "updated_by": actor})
            self._store(tenant, gone, stored.version, "delete", {"version": gone.number})

        retrying(attempt)

    def versions(self, tenant: str, name: str, limit: int, cursor: str | None) -> tuple[list[OwnVersion], str | None]:
        """Every version ever made under this name, oldest first, also of a deleted pipeline. Raises NotFound."""
        if self._records.pipelines.find(tenant, name) is None:
            release = self._library.get(tenant, name).metadata.version
            hint = "the changelog is in: phoenix pipeline show " + name
            raise NotFound(f"{name} is a pipeline of the catalog; this release has version {release}", hint=hint)
        found, following = self._records.pipeline_versions.page(
            tenant, limit, cursor, start=version_key(name, 0), end=f"{name}$"
        )
        return [one.value for one in found], following

    def document(self, tenant: str, name: str, version: str | None = None) -> str:
        """Any pipeline, also one of the catalog, as the file that `create` takes. Raises NotFound, InvalidInput."""
        template = self._library.get(tenant, name, version)
        return document(template.metadata.name, spec_of(template))

    def _make(
        self, tenant: str, name: str, found: Written, draft: Draft, actor: str, *, dry_run: bool, new: bool
    ) -> Made:
        made = Made(name, found, self._drafts.validated(name, found, draft))
        same = self._same(tenant, self._living(tenant, name), found)
        if same or dry_run:
            return replace(made, version=same)

        def attempt() -> Made:
            stored = self._records.pipelines.find(tenant, name)
            there = stored.value if stored and stored.value.deleted_at is None else None
            if same := self._same(tenant, there, found):
                return replace(made, version=same)
            if there and new:
                raise _taken(name)
            return replace(made, version=self._add(tenant, stored, made, draft, actor), new=True)

        return retrying(attempt)

    def _add(self, tenant: str, stored: Stored[OwnPipeline] | None, made: Made, draft: Draft, actor: str) -> OwnVersion:
        name, spec, now = made.name, made.written.spec, self._context.clock.now()
        number = stored.value.number + 1 if stored else 1
        if number > self._quotas.versions:
            hint = "create it under another name: versions are never removed"
            raise Conflict(f"pipeline {name!r} had {number - 1} versions, the most there can be", hint=hint)
        version = OwnVersion(
            pipeline=name,
            number=number,
            at=now,
            by=actor,
            note=draft.note,
            content_hash=spec.content_hash(),
            checked=_checked(made.report),
        )
        living = stored.value if stored and stored.value.deleted_at is None else None
        head = OwnPipeline(
            name=name,
            number=number,
            content_hash=version.content_hash,
            metadata=described(name, str(number), spec, draft.note),
            created_at=living.created_at if living else now,
            created_by=living.created_by if living else actor,
            updated_at=now,
            updated_by=actor,
        )
        detail = {"version": number, "contentHash": version.content_hash, "note": draft.note}
        content = OwnContent(pipeline=name, number=number, spec=spec)
        expected = stored.version if stored else ABSENT
        self._store(tenant, head, expected, "update" if living else "create", detail, version, content)
        return version

    def _store(
        self,
        tenant: str,
        head: OwnPipeline,
        expected: int,
        action: str,
        detail: dict[str, object],
        version: OwnVersion | None = None,
        content: OwnContent | None = None,
    ) -> None:
        """The record, what belongs to it and who did it, in one transaction."""
        records = self._records
        writes = [
            records.pipelines.write(tenant, head, expected),
            records.audit.entry(
                tenant, f"pipeline:{head.name}", at=head.updated_at, actor=head.updated_by, action=action, detail=detail
            ),
        ]
        if version and content:
            writes.append(records.pipeline_versions.write(tenant, version, ABSENT))
            writes.append(records.pipeline_contents.write(tenant, content, ABSENT))
        records.store.transact(writes, token=f"pipeline-{self._context.entropy.uid()}")

    def _living(self, tenant: str, name: str) -> OwnPipeline | None:
        return self._library.own(tenant, name)

    def _same(self, tenant: str, there: OwnPipeline | None, found: Written) -> OwnVersion | None:
        """The newest version when it has this very content, or None."""
        if there is None or there.content_hash != found.spec.content_hash():
            return None
        stored = self._records.pipeline_versions.find(tenant, version_key(there.name, there.number))
        return stored.value if stored else None

    def _get(self, tenant: str, name: str) -> Stored[OwnPipeline]:
        found = self._records.pipelines.find(tenant, name)
        if found and found.value.deleted_at is None:
            return found
        self._library.get(tenant, name)  # raises NotFound with near names, unless the catalog has it
        hint = "make one of your own from it: phoenix pipeline export --format phoenix, then create"
        raise Conflict(f"{name} is a pipeline of the catalog and stays as it is", hint=hint)

    def _refuse_catalog_name(self, name: str) -> None:
        found = self._library.in_catalog(name)
        if found is not None:
            own = found.metadata.name
            rule = f"{name} is a pipeline of the catalog" if own == name else f"{name} means {own} of the catalog"
            fix = "choose another name"
            raise InvalidInput(rule, problems=(Problem("/name", rule, fix),), hint=fix)

    def _refuse_over_quota(self, tenant: str, name: str) -> None:
        every = {found.value.name: found.value for found in self._records.pipelines.all(tenant)}
        living = sum(one.deleted_at is None for one in every.values())
        if living >= self._quotas.pipelines:
            hint = "delete those that nobody uses: phoenix pipeline delete"
            raise Conflict(f"you have {living} pipelines of your own, the most there can be", hint=hint)
        if name not in every and len(every) >= self._quotas.names:
            hint = "use the name of a deleted pipeline again; its versions go on being counted"
            raise Conflict(f"{len(every)} names were used, those of deleted pipelines counted", hint=hint)


def _taken(name: str) -> Conflict:
    fix = f"make a new version of it: phoenix pipeline update {name}"
    rule = f"you have a pipeline {name!r}, and its content is another"
    return Conflict(rule, problems=(Problem("/name", rule, fix),), hint=fix)


def _remembered(name: str, holder: str) -> Conflict:
    rule, fix = f"{holder} refers to a pipeline of a former catalog that was named {name}", "choose another name"
    return Conflict(rule, problems=(Problem("/name", rule, fix),), hint=fix)


def _checked(report: Report) -> Checked:
    kept = report.retention
    warnings = report.findings[:MAX_KEPT_FINDINGS]
    return Checked(collector=report.collector, retention=kept.state, critical=kept.patterns, warnings=warnings)
