"""Kubernetes clusters over HTTPS: how they are connected to, how EKS signs in, what is asked and applied there."""
