"""Predictions: what a replay of a recording says about pipelines, before they touch a host. Pure values and rules.

`figures` is what one pipeline did with the recording, `grid` which parameters are tried, `ranking` which of them is
best, `prediction` what is kept of two pipelines, `realised` how it compares with an experiment. Nothing is replayed
here.
"""
