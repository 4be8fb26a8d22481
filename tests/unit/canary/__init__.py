"""Tests of the canary layout, without a control plane."""
