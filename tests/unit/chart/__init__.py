"""The chart, without Helm."""
