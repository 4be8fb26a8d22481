"""Pipelines and configurations: versions of one's own, `preview` and `recommend` on recordings, and what `validation`
found, for people and as SARIF. No experiment is known here."""
