"""Experiment resources mirrored into the control plane, and back."""
