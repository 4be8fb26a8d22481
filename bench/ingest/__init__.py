"""`bench ingest`: measurement requests into one control plane, and `thousand_hosts` that report on time; `client` and
`fleet_client` are processes of their own, which `clients` starts, and send `bodies`."""
