"""Clusters as values and decisions: what is kept of one (`cluster`), which hosts its nodes are (`nodes`), what nodes
share (`sharing`), what a cluster is told (`orders`, `loads`), what its words mean for its hosts' agents (`reports`)."""
