"""The rules by id: what each says, why it matters, what to do. An id never changes its meaning and is never used again.

Here are only words and severities. How a rule is decided is in the module that makes its findings.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.domain.validation.findings import Finding, Severity

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True)
class Rule:
    """One rule. decided: by which means, in words for the reference."""

    id: str
    name: str
    severity: Severity
    title: str
    why: str
    fix: str
    decided: str


_TEXT, _READ, _ASK, _RUN = (
    "reading the text",
    "reading the configuration",
    "the collector's own validate",
    "running the pipelines on a synthetic scrape",
)

_ALL = (
    Rule(
        "PHX-V001",
        "not-yaml",
        ERROR,
        "The text is not YAML.",
        "No collector can read it.",
        "Correct the syntax at this place.",
        _TEXT,
    ),
    Rule(
        "PHX-V002",
        "duplicate-key",
        ERROR,
        "A key is given twice in one mapping.",
        "One of the two would be lost; the collector refuses to choose.",
        "Remove or rename one of them.",
        _TEXT,
    ),
    Rule(
        "PHX-V003",
        "not-a-configuration",
        ERROR,
        "The document does not have the form of a collector configuration.",
        "The collector knows receivers, processors, exporters, connectors, extensions and service, each a mapping.",
        "Give sections and pipelines as mappings and component lists as lists of ids.",
        _READ,
    ),
    Rule(
        "PHX-V004",
        "outside-reference",
        ERROR,
        "The configuration reads a file, an address or other text from outside.",
        "What it means would depend on the machine that reads it, and could carry that machine's files away.",
        "Write it out; only ${env:NAME} is allowed, and a literal dollar sign is $$.",
        _READ,
    ),
    Rule(
        "PHX-V005",
        "undefined-component",
        ERROR,
        "A pipeline or the service uses a component that is not configured.",
        "The collector does not start.",
        "Add it to its section, or correct the id.",
        _READ,
    ),
    Rule(
        "PHX-V006",
        "unknown-component",
        ERROR,
        "The collector has no component of this type.",
        "The collector does not start, even when no pipeline uses the component.",
        "Use one of the types that the collector names, or remove it.",
        _ASK,
    ),
    Rule(
        "PHX-V010",
        "collector-refuses",
        ERROR,
        "The collector refuses the configuration.",
        "These are the collector's own words; it does not start.",
        "Change the configuration as the collector says.",
        _ASK,
    ),
    Rule(
        "PHX-V011",
        "collector-not-asked",
        ERROR,
        "The collector could not be asked.",
        "Nobody but the collector knows for certain what it takes.",
        "Validate again where a collector is at hand (make setup, or PHOENIX_OTELCOL).",
        _ASK,
    ),
    Rule(
        "PHX-V101",
        "secret-in-clear-text",
        ERROR,
        "A secret stands in clear text.",
        "Configurations are stored, shown and copied; whoever sees this one has the secret.",
        "Put it into the host's environment and refer to it as ${env:NAME}; change the secret, it has been seen.",
        _READ,
    ),
    Rule(
        "PHX-V102",
        "phoenix-token",
        ERROR,
        "The host's own Phoenix token is used.",
        "It is the host's credential towards Phoenix and would reach somebody else.",
        "Use another variable.",
        _READ,
    ),
    Rule(
        "PHX-V110",
        "deprecated-component",
        WARNING,
        "A component is used under a deprecated or removed name.",
        "The next collector may not know it any more.",
        "Use the name that replaces it.",
        _READ,
    ),
    Rule(
        "PHX-V111",
        "unused-component",
        WARNING,
        "A component is configured but nothing uses it.",
        "A reader believes that it works; the collector does not even create it.",
        "Use it in a pipeline or the service, or remove it.",
        _READ,
    ),
    Rule(
        "PHX-V120",
        "no-memory-limiter",
        WARNING,
        "A pipeline takes in data without a memory_limiter.",
        "A burst of processes or a slow backend can make the collector use all memory of the host.",
        "Add memory_limiter as the first processor.",
        _READ,
    ),
    Rule(
        "PHX-V121",
        "memory-limiter-not-first",
        WARNING,
        "memory_limiter is not the first processor.",
        "What stands before it has already taken the memory, and its refusal does not reach the receiver.",
        "Make memory_limiter the first processor of the pipeline.",
        _READ,
    ),
    Rule(
        "PHX-V122",
        "batch-not-last",
        WARNING,
        "batch is not the last processor.",
        "Whatever drops or groups after it empties batches and sees scrapes that batch has cut apart.",
        "Make batch the last processor, or use the exporter's sending_queue.batch instead.",
        _READ,
    ),
    Rule(
        "PHX-V130",
        "critical-dropped",
        ERROR,
        "A critical process can be dropped.",
        "The one process that matters would disappear from the backend, and no alert on it could fire.",
        'Exempt critical processes here, for example with `resource.attributes["phoenix.critical"] == nil`.',
        _RUN,
    ),
    Rule(
        "PHX-V131",
        "not-run",
        WARNING,
        "The pipelines could not be run on a synthetic scrape.",
        "Whether critical processes are kept, counters stay sound and attributes are bounded is not known.",
        "See what keeps the pipelines from being run.",
        _RUN,
    ),
    Rule(
        "PHX-V132",
        "fails-on-data",
        ERROR,
        "The pipelines fail on an ordinary scrape.",
        "The scrape is refused and nothing of it arrives, although the configuration is well-formed.",
        "Correct the statement; guard it with a `where` for data that it is not meant for.",
        _RUN,
    ),
    Rule(
        "PHX-V140",
        "unbounded-command-lines",
        WARNING,
        "Command lines are sent to a backend.",
        "Every new command line is a new set of series, and command lines may hold secrets.",
        "Delete process.command_line, process.command_args and process.command before the exporter, "
        "or switch them off at the scraper.",
        _RUN,
    ),
    Rule(
        "PHX-V141",
        "unbounded-pids",
        WARNING,
        "Process ids are sent to a backend.",
        "Every process that starts makes a new set of series, for ever; churn alone can fill a backend.",
        "Accept it for a pipeline that reports processes one by one; otherwise keep or sum by name first "
        "(process-topk-v1, process-aggregated-v1).",
        _RUN,
    ),
    Rule(
        "PHX-V150",
        "cumulative-counter-falls",
        ERROR,
        "A cumulative counter falls when a process ends.",
        "Counters of several processes are summed as they are; each fall is read as a reset and invents a rate.",
        "Convert with cumulativetodelta per process, sum the deltas, then deltatocumulative (process-aggregated-v1).",
        _RUN,
    ),
    Rule(
        "PHX-V151",
        "series-fall-together",
        ERROR,
        "Different processes share one series.",
        "They carry the same name and attributes with different values at one time; a backend keeps any one of them.",
        "Keep process.pid, or sum the processes before it is removed; for prometheus_remote_write set "
        "resource_to_telemetry_conversion: {enabled: true}.",
        _RUN,
    ),
    Rule(
        "PHX-V160",
        "exporter-on-loopback",
        WARNING,
        "An exporter sends to the machine it runs on.",
        "In a container this is the container itself; on another host nobody may be listening.",
        "Name the backend by its address, as ${env:NAME} where it differs.",
        _READ,
    ),
    Rule(
        "PHX-V161",
        "errors-ignored",
        WARNING,
        "A processor goes on after a failing statement.",
        "The statement is skipped, and wrong or unfiltered data flows on with one line in the log.",
        "Set error_mode: propagate; a payload that is missing is honest.",
        _READ,
    ),
    Rule(
        "PHX-V162",
        "failure-hidden",
        WARNING,
        "A statement fails on an ordinary scrape, and the scrape goes on.",
        "What the statement should do is not done; the only sign is a line in the collector's log.",
        "Guard the statement with a `where` for data that it is not meant for, and set error_mode: propagate.",
        _RUN,
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}


def finding(rule: str, pointer: str, message: str, *, fix: str = "", line: int | None = None) -> Finding:
    """A finding of a rule; `fix` replaces the rule's general one where more is known. KeyError for an unknown rule."""
    known = RULES[rule]
    return Finding(
        rule=rule,
        severity=known.severity,
        pointer=pointer,
        message=message,
        why=known.why,
        fix=fix or known.fix,
        line=line,
    )
