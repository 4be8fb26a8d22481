"""Experiments through HTTP: each layout, source and ending, their promotion, predictions and results."""
