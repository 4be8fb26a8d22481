"""The control plane. `bootstrap` wires it, `app.py` serves it; every other room is named after its layer."""
