"""Use cases of hosts: `hosts` lets them in and removes them, `fleet` speaks with their agents and wants configurations
of them, `ingest` takes what they counted, `loadsims` asks them for load, `claims` says who holds one, `quarantine`
keeps what failed there, `host_watch` tells who is away. Not here: what is to run on a host and why (`deployments`,
`experiments`), and nodes of a cluster (`clusters`)."""
