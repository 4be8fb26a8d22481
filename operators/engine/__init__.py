"""A level-triggered loop: keyed queue, caches, workers, the Kubernetes API. Knows neither kopf nor Phoenix's kinds.

A resource brings a `Controller` (reconciler.py): its own kind first in `watched`, then what it makes, each with the
label that names its owner. Its reconciler is called with a key, reads `Caches` (`get`, `owned`: never the API), writes
through `Cluster` (`apply`, `apply_status`, `delete`: server-side apply, so say all that you mean) and tells the caches
what came back (`caches.replied(kind, thing)`), or it would write again before the watch has told it. It returns the
seconds after which to look again, or None. What it raises is tried again with backoff. It is killed between any two
calls: whatever it does must come to the same when it is done twice.

`KubeClient` (client.py) is the real Cluster, `FakeCluster` (tests/fakes/kubernetes.py) the other; `Engine` (loop.py)
runs controllers over either.
"""
