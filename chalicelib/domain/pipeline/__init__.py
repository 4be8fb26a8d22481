"""Pipelines: what the catalog says about them, and the collector configuration that comes out of them.

`metadata` and `parameters` describe, `ottl` and `rendering` fill in a template, `assembly` (with `kpi` and
`telemetry`) builds the whole configuration, `marker` recognises it again, `masking` and `references` keep secrets
out of it, `document` writes it down. `own` is what tenants make themselves: `own_document` and `collector_file` read
it, `own_rules` and `own_placeholders` say what it must keep to. Everything here is pure: trees of plain values in,
trees out.
"""
