"""The container images of Phoenix, made without a container engine: the same bytes from the same content.

`archive` writes a docker archive, `collector` and `operator` say what is in theirs, `python -m images` makes both. Not
here: how they are run (charts/phoenix, operators), nor the images that only the test cluster needs (tests/cluster).
"""
