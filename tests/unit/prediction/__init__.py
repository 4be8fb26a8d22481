"""Predictions as values: grids, rankings, names, comparisons."""
