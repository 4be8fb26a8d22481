"""The whole control plane through HTTP, with hosts that speak the real protocols: a room of tests for each noun, and
here what they share: a `world`, a `fake_host`, a `receiver`."""
