"""LoadSimulationJob to Jobs, and back to its status.

`desired` is what the cluster shall have, `pods` what one node's Job and pod say, `status` the sum of it: all pure.
`reading` asks a pod how it stands, `reconciler` carries it all out.
"""
