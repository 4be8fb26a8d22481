"""What becomes of a plain collector configuration: what is taken, what is left out with a reason, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from chalicelib.domain.critical import CriticalPattern
from chalicelib.domain.errors import InvalidInput
from chalicelib.domain.pipeline.assembly import standalone
from chalicelib.domain.pipeline.collector_file import take
from chalicelib.domain.pipeline.own import described, template_of
from chalicelib.domain.pipeline.own_document import Form, document, written
from chalicelib.domain.pipeline.own_rules import check_spec
from chalicelib.domain.pipeline.rendering import render

SMALL = {"error_mode": "propagate", "metric_conditions": ['metric.name == "process.threads"']}


def config(**changes: Any) -> dict[str, Any]:
    """A configuration with one pipeline; sections are replaced by what is given."""
    return {
        "receivers": {"hostmetrics": {"scrapers": {"process": None}}},
        "processors": {
            "memory_limiter": {"limit_mib": 100},
            "filter/small": SMALL,
            "groupbyattrs": None,
            "batch": None,
        },
        "exporters": {"otlp_http": {"endpoint": "https://otlp.example.com"}},
        "service": {"pipelines": {"metrics": pipeline("memory_limiter", "filter/small", "groupbyattrs", "batch")}},
        **changes,
    }


def pipeline(*processors: str, receiver: str = "hostmetrics", exporter: str = "otlp_http") -> dict[str, Any]:
    return {"receivers": [receiver], "processors": list(processors), "exporters": [exporter]}


def pipelines(**named: Any) -> dict[str, Any]:
    return {"service": {"pipelines": {name.replace("_", "/"): body for name, body in named.items()}}}


def test_the_processors_are_taken_in_their_order_and_phoenixs_own_left_out() -> None:
    taken = take(config())
    assert (taken.order, taken.processors) == (
        ("filter/small", "groupbyattrs"),
        {"filter/small": SMALL, "groupbyattrs": {}},
    )
    assert [one.what for one in taken.left_out] == ["memory_limiter", "batch", "exporter otlp_http"]


def test_every_part_that_is_left_out_is_named_with_its_place() -> None:
    scraper = {"include": {"names": ["a"], "match_type": "strict"}, "metrics": {"process.disk.io": {"enabled": False}}}
    tree = config(
        receivers={
            "hostmetrics": {"collection_interval": "10s", "scrapers": {"process": scraper, "cpu": None}},
            "otlp": {},
        },
        extensions={"health_check": {}},
        service={
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "metrics": {**pipeline("filter/small"), "receivers": ["hostmetrics", "otlp"]},
                "logs": pipeline(receiver="otlp"),
            },
        },
    )
    assert [one.pointer for one in take(tree).left_out] == [
        "/receivers/otlp",
        "/receivers/hostmetrics/collection_interval",
        "/receivers/hostmetrics/scrapers/cpu",
        "/receivers/hostmetrics/scrapers/process/include",
        "/receivers/hostmetrics/scrapers/process/metrics/process.disk.io",
        "/exporters/otlp_http",
        "/service/pipelines/logs",
        "/extensions/health_check",
        "/service/telemetry",
    ]
    assert all(one.why for one in take(tree).left_out)


def test_optional_metrics_that_the_scraper_enables_come_along() -> None:
    metrics = {name: {"enabled": True} for name in ("process.threads", "process.cpu.utilization", "process.cpu.time")}
    metrics["process.handles"] = {"enabled": False}
    tree = config(receivers={"hostmetrics": {"scrapers": {"process": {"metrics": metrics}}}})
    assert take(tree).scraper_metrics == ("process.cpu.utilization", "process.threads")


def test_of_several_pipelines_one_is_chosen() -> None:
    tree = config(**pipelines(metrics_a=pipeline("filter/small"), metrics_b=pipeline("groupbyattrs")))
    with pytest.raises(InvalidInput) as caught:
        take(tree)
    assert "metrics/a, metrics/b" in caught.value.problems[0].rule
    assert "--pipeline metrics/a" in caught.value.problems[0].fix
    assert take(tree, "metrics/b").order == ("groupbyattrs",)


@pytest.mark.parametrize(
    ("tree", "choice", "pointer", "words"),
    [
        (config(**pipelines(metrics_a=pipeline("filter/small"))), "metrics/x", "/service/pipelines", "'metrics/x'"),
        (
            config(**pipelines(metrics=pipeline("filter/smal"))),
            None,
            "/service/pipelines/metrics/processors/0",
            "not configured",
        ),
        (
            config(**pipelines(metrics=pipeline("filter/small", "filter/small"))),
            None,
            "/service/pipelines/metrics/processors/1",
            "twice",
        ),
        (config(**pipelines(metrics=pipeline("batch"))), None, "/service/pipelines/metrics/processors", "no processor"),
        (
            config(processors={"filter/small": ["a"]}, **pipelines(metrics=pipeline("filter/small"))),
            None,
            "/processors/filter~1small",
            "not a mapping",
        ),
        (
            config(connectors={"forward": {}}, **pipelines(metrics=pipeline("filter/small", exporter="forward"))),
            None,
            "/service/pipelines/metrics/exporters/0",
            "connector forward",
        ),
        (
            config(receivers={"hostmetrics": {"scrapers": {"cpu": None}}}),
            None,
            "/receivers/hostmetrics/scrapers",
            "no process scraper",
        ),
        (
            config(receivers={"otlp": {}}, **pipelines(metrics=pipeline("filter/small", receiver="otlp"))),
            None,
            "/service/pipelines",
            "hostmetrics",
        ),
        (config(**pipelines(logs=pipeline("filter/small"))), None, "/receivers/hostmetrics", "no metrics pipeline"),
        (config(service={"pipelines": []}), None, "/service/pipelines", "not a mapping"),
        (config(processors=[]), None, "/processors", "a list"),
    ],
)
def test_what_cannot_be_a_pipeline_is_refused_at_its_place(tree: Any, choice: Any, pointer: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        take(tree, choice)
    assert pointer in [problem.pointer for problem in caught.value.problems]
    assert words in caught.value.problems[0].rule
    assert caught.value.problems[0].fix


def test_what_phoenix_exported_comes_back_as_the_same_pipeline() -> None:
    first = written(config()).spec
    template = template_of(described("lean", "1", first), first)
    exported = standalone(render(template, {}), [CriticalPattern(name="^nginx$"), CriticalPattern(owner="db")], 15)
    back = written(yaml.safe_load(yaml.safe_dump(exported)))
    assert (back.form, back.spec) == (Form.COLLECTOR, first)
    assert {"transform/mark", "transform/strip"} <= {one.what for one in back.left_out}


def test_a_transform_of_ones_own_under_our_name_is_not_dropped_silently() -> None:
    own = {"metric_statements": [{"context": "resource", "statements": ['set(resource.attributes["a"], "b")']}]}
    tree = config(processors={"transform/mark": own}, **pipelines(metrics=pipeline("transform/mark")))
    (problem,) = check_spec(written(tree).spec)
    assert (problem.pointer, "Phoenix has a processor" in problem.rule) == ("/processors/transform~1mark", True)


def test_a_document_reads_back_as_the_pipeline_it_was_written_from() -> None:
    spec = written(config(), title="yes").spec
    back = written(yaml.safe_load(document("lean", spec)))
    assert (back.spec, back.name, back.spec.content_hash()) == (spec, "lean", spec.content_hash())
