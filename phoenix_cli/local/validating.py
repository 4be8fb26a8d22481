"""Validation without a control plane: for CI, and for the catalog (`make validate-pipelines`).

`python -m phoenix_cli.local.validating` validates every pipeline of the catalog as a stock collector would run it, with
its default parameters, a critical process and a backend.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from chalicelib.bootstrap import Outside, catalog_pipelines, validation
from chalicelib.domain.access import DEFAULT_TENANT
from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput, PhoenixError
from chalicelib.domain.experiment.spec import Backend, PipelineRef
from chalicelib.domain.pipeline.document import to_yaml
from chalicelib.domain.validation.findings import Kept, Report
from chalicelib.settings import Settings
from phoenix_cli.binaries.progress import progress_report
from phoenix_cli.binaries.resolve import resolve_collector
from phoenix_cli.problems import EXIT_ERROR, exit_code, text
from phoenix_cli.show.pipelines.validation import Form, failed, show

_CRITICAL = (
    CriticalPattern(name="^nginx$"),
    CriticalPattern(command_line="payments-worker"),
    CriticalPattern(owner="db"),
)
_BACKEND = Backend(otlp="https://otlp.example.com/v1/metrics")
_INTERVAL_S = 15.0
_TRIAL_S = 60.0
"""Nobody waits at the other end of a request, and build machines are busy."""
_PATTERNS: TypeAdapter[tuple[CriticalPattern, ...]] = TypeAdapter(tuple[CriticalPattern, ...])


def local_validation(env: Mapping[str, str]) -> Callable[[str, list[dict[str, str]]], Report]:
    """Validate a text with critical patterns on this machine. Raises CollectorMissing, InvalidInput."""
    ours = validation(_settings(env), Outside(), trial_seconds=_TRIAL_S)

    def validate(configuration: str, critical: list[dict[str, str]]) -> Report:
        try:
            patterns = _PATTERNS.validate_python(critical)
        except ValidationError as error:
            raise InvalidInput(f"--critical: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error
        return ours.of_text(configuration, patterns)

    return validate


def catalog(
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="Form of the report.")] = Form.TABLE,
) -> None:
    """Validate every pipeline of the catalog. Exits 1 on errors, or when criticals are not proven to be kept."""
    settings = _settings(os.environ)
    pipelines, names = catalog_pipelines(settings, Outside())
    ours = validation(settings, Outside(), trial_seconds=_TRIAL_S)
    reports: dict[str, Report] = {}
    for name in names:
        config = pipelines.rendered(DEFAULT_TENANT, PipelineRef(pipeline=name), _CRITICAL, _INTERVAL_S, _BACKEND)
        reports[name] = ours.of_text(to_yaml(config), _CRITICAL)
    show(reports, output)
    unproven = [name for name, report in reports.items() if report.retention.state is not Kept.KEPT]
    bad = [name for name, report in reports.items() if name in unproven or failed(report, strict=strict)]
    print(f"{len(reports) - len(bad)} of {len(reports)} pipelines are sound", file=sys.stderr)
    raise typer.Exit(EXIT_ERROR if bad else 0)


def _settings(env: Mapping[str, str]) -> Settings:
    with progress_report(env, sys.stderr) as report:
        return Settings.model_validate({"otelcol": resolve_collector(env, report)})


def main() -> None:
    """The program; our errors become text and an exit code."""
    try:
        typer.run(catalog)
    except PhoenixError as error:
        print(text(error), file=sys.stderr)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
