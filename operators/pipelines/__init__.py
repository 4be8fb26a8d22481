"""PhoenixProcessPipeline: from a resource to a collector on each of its nodes, and what became of it.

`rendering` (with `additions`) makes a configuration of a spec, `desired` the objects it needs, `drift` compares them
with what is there, `pods` reads what pods say, `rollout` decides, `status` says it: all pure. `reconcile` alone does.
"""
