"""The reference of the rules as a page of Markdown, made from the rules themselves."""

from __future__ import annotations

from chalicelib.domain.validation.rules import RULES


def rules_page() -> str:
    """docs/reference/validation-rules.md, without the line that says it is generated."""
    table = [f"| [{rule.id}](#{rule.id.lower()}) | {rule.severity} | {rule.title} |" for rule in RULES.values()]
    sections = [
        f"## {rule.id}\n\n`{rule.name}`, {rule.severity}, decided by {rule.decided}.\n\n"
        f"**What:** {rule.title}\n\n**Why it matters:** {rule.why}\n\n**Fix:** {rule.fix}\n"
        for rule in RULES.values()
    ]
    head = "# Validation rules\n\nThe rules of `phoenix pipeline validate`; an id never changes its meaning.\n"
    return "\n".join([head, "| rule | severity | what |\n|---|---|---|", *table, "", *sections])
