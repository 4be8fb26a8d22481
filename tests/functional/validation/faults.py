"""One configuration of our own for each fault that the public Collector repositories keep as invalid sample data, with
what is reported about it: rule and line. The table in docs/guides/validation.md is checked against this list.
"""

from __future__ import annotations

from dataclasses import dataclass

CORE, CONTRIB = "opentelemetry-collector", "opentelemetry-collector-contrib"
_OLD = "service/internal/configunmarshaler/testdata"


@dataclass(frozen=True)
class Fault:
    """found: (rule, line) of every error, in order of line."""

    repository: str
    path: str
    what: str
    text: str
    found: tuple[tuple[str, int], ...]


def _with(
    *,
    receivers: str = "  nop:\n",
    processors: str = "  batch:\n",
    exporters: str = "  nop:\n",
    more: str = "",
    pipelines: str = "    metrics: {receivers: [nop], processors: [batch], exporters: [nop]}\n",
) -> str:
    """Lines: receivers from 2 on, then processors, exporters, whatever more, then the service."""
    sections = f"receivers:\n{receivers}processors:\n{processors}exporters:\n{exporters}"
    return f"{sections}{more}service:\n  pipelines:\n{pipelines}"


FAULTS = (
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid.yaml",
        "a pipeline uses a processor that is not configured",
        _with(pipelines="    metrics:\n      receivers: [nop]\n      processors: [absent]\n      exporters: [nop]\n"),
        (("PHX-V005", 11),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-receiver-type.yaml",
        "a receiver for another signal than its pipeline's",
        _with(
            receivers="  hostmetrics: {scrapers: {process: {}}}\n",
            pipelines="    traces: {receivers: [hostmetrics], processors: [batch], exporters: [nop]}\n",
        ),
        (("PHX-V010", 2),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-telemetry.yaml",
        "an unknown key under service.telemetry",
        _with() + "  telemetry:\n    surprise: 1\n",
        (("PHX-V010", 11),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-cyclic-connector.yaml",
        "connectors that lead in a circle",
        _with(
            more="connectors:\n  forward/round:\n",
            pipelines="    metrics/in: {receivers: [forward/round], exporters: [forward/round]}\n"
            "    metrics/out: {receivers: [forward/round], exporters: [forward/round]}\n",
        ),
        (("PHX-V010", 8),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-connector-unused-exp.yaml",
        "a connector that nothing exports to",
        _with(
            more="connectors:\n  forward/end:\n",
            pipelines="    metrics/one: {receivers: [nop], processors: [batch], exporters: [nop]}\n"
            "    metrics/two: {receivers: [forward/end], exporters: [nop]}\n",
        ),
        (("PHX-V010", 8),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-connector-unused-rec.yaml",
        "a connector that nothing receives from",
        _with(
            more="connectors:\n  forward/end:\n",
            pipelines="    metrics/one: {receivers: [nop], processors: [batch], exporters: [forward/end]}\n",
        ),
        (("PHX-V010", 8),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-top-config.yaml",
        "a text where a receiver's settings should be",
        _with(receivers="  nop:\n    words\n"),
        (("PHX-V010", 2),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalid-yaml.yaml",
        "a pipeline given twice, at the wrong place",
        "receivers: {nop: }\nexporters: {nop: }\npipelines:\n  metrics: {receivers: [nop], exporters: [nop]}\n"
        "  metrics: {receivers: [nop], exporters: [nop]}\n",
        (("PHX-V002", 5),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/otelcol-invalidprop.yaml",
        "an unknown propagator in the collector's own telemetry",
        _with() + "  telemetry:\n    traces:\n      propagators: [pigeon, tracecontext]\n",
        (),
    ),
    Fault(
        CORE,
        "otelcol/testdata/print_invalid.yaml",
        "a text where a duration should be",
        _with(exporters="  otlp_http:\n    endpoint: https://example.com\n    timeout: soon\n").replace(
            "exporters: [nop]", "exporters: [otlp_http]"
        ),
        (("PHX-V010", 8),),
    ),
    Fault(
        CORE,
        "otelcol/testdata/config_with_sensitive_data.yaml",
        "secrets in clear text (a sample that the collector accepts)",
        _with(
            exporters="  otlp_http:\n    endpoint: https://example.com\n    headers:\n"
            "      authorization: Bearer not-a-real-one\n      x-api-key: not-a-real-one\n"
        ).replace("exporters: [nop]", "exporters: [otlp_http]"),
        (("PHX-V101", 9), ("PHX-V101", 10)),
    ),
    Fault(
        CORE,
        f"{_OLD}/duplicate-pipeline.yaml",
        "two pipelines whose names differ by spaces only",
        _with(
            pipelines="    metrics /a: {receivers: [nop], processors: [batch], exporters: [nop]}\n"
            "    metrics/ a : {receivers: [nop], processors: [batch], exporters: [nop]}\n"
        ),
        (("PHX-V010", 10),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-exporter-name-after-slash.yaml",
        "an id that ends in its slash",
        _with(exporters="  nop:\n  nop/:\n"),
        (("PHX-V010", 7),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-exporter-type.yaml",
        "an id without a type",
        _with(exporters="  nop:\n  /own:\n"),
        (("PHX-V010", 7),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-exporter-section.yaml",
        "an unknown key in an exporter",
        _with(exporters="  nop:\n  debug:\n    surprise: 1\n").replace("exporters: [nop]", "exporters: [debug]"),
        (("PHX-V010", 8),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-logs-level.yaml",
        "an unknown level of the collector's logs",
        _with() + "  telemetry:\n    logs:\n      level: LOUD\n",
        (("PHX-V010", 12),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-metrics-level.yaml",
        "an unknown level of the collector's metrics",
        _with() + "  telemetry:\n    metrics:\n      level: loud\n",
        (("PHX-V010", 12),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-pipeline-section.yaml",
        "an unknown key in a pipeline",
        _with(pipelines="    metrics:\n      receivers: [nop]\n      exporters: [nop]\n      surprise: 1\n"),
        (("PHX-V010", 12),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-pipeline-sub-config.yaml",
        "a text where the pipelines should be",
        _with(pipelines="    metrics\n"),
        (("PHX-V003", 8),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-pipeline-type.yaml",
        "a pipeline without a signal",
        _with(pipelines="    /metrics: {receivers: [nop], processors: [batch], exporters: [nop]}\n"),
        (("PHX-V010", 9),),
    ),
    Fault(
        CORE,
        f"{_OLD}/unknown-pipeline-type.yaml",
        "a pipeline of an unknown signal",
        _with(pipelines="    feelings: {receivers: [nop], processors: [batch], exporters: [nop]}\n"),
        (("PHX-V010", 9),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-sequence-value.yaml",
        "a mapping where a list of receivers should be",
        _with(pipelines="    metrics:\n      receivers:\n        nop: {some: thing}\n      exporters: [nop]\n"),
        (("PHX-V003", 10),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-service-extensions-section.yaml",
        "a mapping where the list of extensions should be",
        _with(more="extensions:\n  health_check:\n") + "  extensions:\n    health_check: {error: true}\n",
        (("PHX-V010", 12),),
    ),
    Fault(
        CORE,
        f"{_OLD}/invalid-top-level-section.yaml",
        "an unknown section",
        _with(more="surprise:\n  number: 2\n"),
        (("PHX-V003", 7),),
    ),
    Fault(
        CORE,
        "service/internal/pipelines/testdata/unknown_processor_config.yaml",
        "a pipeline uses a processor of a known type under an id that is not configured",
        _with(pipelines="    metrics: {receivers: [nop], processors: [batch/1], exporters: [nop]}\n"),
        (("PHX-V005", 9),),
    ),
    Fault(
        CORE,
        "service/internal/pipelines/testdata/not_supported_processor_metrics.yaml",
        "a processor for another signal than its pipeline's",
        _with(
            processors="  cumulativetodelta:\n",
            pipelines="    logs: {receivers: [nop], processors: [cumulativetodelta], exporters: [nop]}\n",
        ),
        (("PHX-V010", 4),),
    ),
    Fault(
        CORE,
        "receiver/otlpreceiver/testdata/bad_proto_config.yaml",
        "an unknown protocol",
        _with(receivers="  otlp:\n    protocols:\n      thrift: {endpoint: 127.0.0.1:1234}\n").replace(
            "[nop], p", "[otlp], p"
        ),
        (("PHX-V010", 4),),
    ),
    Fault(
        CORE,
        "receiver/otlpreceiver/testdata/bad_no_proto_config.yaml",
        "no protocol at all",
        _with(receivers="  otlp:\n    protocols:\n").replace("[nop], p", "[otlp], p"),
        (("PHX-V010", 2),),
    ),
    Fault(
        CORE,
        "receiver/otlpreceiver/testdata/invalid_metrics_path.yaml",
        "a path that is no URL path",
        _with(receivers='  otlp:\n    protocols:\n      http: {metrics_url_path: ":wrong"}\n').replace(
            "[nop], p", "[otlp], p"
        ),
        (("PHX-V010", 4),),
    ),
    Fault(
        CONTRIB,
        "receiver/hostmetricsreceiver/testdata/config-noscrapers.yaml",
        "no scraper",
        _with(receivers="  hostmetrics: {collection_interval: 10s}\n").replace("[nop], p", "[hostmetrics], p"),
        (("PHX-V010", 2),),
    ),
    Fault(
        CONTRIB,
        "receiver/hostmetricsreceiver/testdata/config-invalidscraperkey.yaml",
        "an unknown scraper",
        _with(receivers="  hostmetrics:\n    scrapers:\n      mood:\n").replace("[nop], p", "[hostmetrics], p"),
        (("PHX-V010", 4),),
    ),
    Fault(
        CONTRIB,
        "receiver/hostmetricsreceiver/testdata/config-bad-root-path.yaml",
        "a root path that does not exist",
        _with(receivers="  hostmetrics:\n    root_path: /absent\n    scrapers: {process: }\n").replace(
            "[nop], p", "[hostmetrics], p"
        ),
        (("PHX-V010", 2),),
    ),
    Fault(
        CONTRIB,
        "processor/filterprocessor/testdata/config_invalid.yaml",
        "a regular expression that does not compile",
        _with(
            processors="  filter:\n    metrics:\n      include:\n        match_type: regexp\n"
            "        metric_names: ['(open']\n"
        ).replace("[batch]", "[filter]"),
        (("PHX-V010", 5),),
    ),
    Fault(
        CONTRIB,
        "processor/filterprocessor/testdata/config_traces_invalid.yaml",
        "an unknown match type",
        _with(
            processors="  filter:\n    metrics:\n      include:\n        match_type: guess\n        metric_names: [a]\n"
        ).replace("[batch]", "[filter]"),
        (("PHX-V010", 7),),
    ),
    Fault(
        CONTRIB,
        "processor/transformprocessor/testdata/invalid_config_bad_syntax_metric.yaml",
        "a statement that is no OTTL",
        _with(processors='  transform:\n    metric_statements:\n      - set(metric.name, "a" where\n').replace(
            "[batch]", "[transform]"
        ),
        (("PHX-V010", 6),),
    ),
    Fault(
        CONTRIB,
        "processor/transformprocessor/testdata/invalid_config_unknown_function_metric.yaml",
        "a function that does not exist",
        _with(processors="  transform:\n    metric_statements:\n      - dance(metric.name)\n").replace(
            "[batch]", "[transform]"
        ),
        (("PHX-V010", 6),),
    ),
    Fault(
        CONTRIB,
        "processor/cumulativetodeltaprocessor/testdata/config_missing_match_type.yaml",
        "a list of metrics without a match type",
        _with(processors="  cumulativetodelta:\n    include: {metrics: [a]}\n").replace(
            "[batch]", "[cumulativetodelta]"
        ),
        (("PHX-V010", 4),),
    ),
    Fault(
        CONTRIB,
        "processor/metricstransformprocessor/testdata/config_invalid_action.yaml",
        "an unknown action",
        _with(processors="  metrics_transform:\n    transforms: [{include: a, action: jump, new_name: b}]\n").replace(
            "[batch]", "[metrics_transform]"
        ),
        (("PHX-V010", 5),),
    ),
    Fault(
        CONTRIB,
        "processor/metricstransformprocessor/testdata/config_invalid_newname.yaml",
        "an insertion without a new name",
        _with(processors="  metrics_transform:\n    transforms: [{include: a, action: insert}]\n").replace(
            "[batch]", "[metrics_transform]"
        ),
        (("PHX-V010", 5),),
    ),
)
