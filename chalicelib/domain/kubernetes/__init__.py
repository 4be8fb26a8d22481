"""Phoenix in a Kubernetes cluster, as values: the three custom resources, what a cluster says and is told. Pure.

`process_pipeline`, `load_job` and `experiment_mirror` have a resource each (spec and status), `resource` what they
share, `exchange` what passes between a cluster and the control plane. What the operators make of a resource is in
`operators/`; the CRDs are made of these models by `crd`.
"""
