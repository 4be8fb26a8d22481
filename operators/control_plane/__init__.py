"""The Phoenix control plane as the operators reach it: HTTPS, a token from a file, the tree's errors. No resource."""
