"""Phoenix on a real cluster: API server, kubelet and containerd, pods with real collectors. Run by
`make test-kubernetes`, never by `make test`; a machine that cannot have the cluster fails here, nothing is skipped.
"""
