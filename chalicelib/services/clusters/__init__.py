"""Use cases of clusters: `registry` lets them in, shows and removes them, `exchange` hears and tells one, `pushing`
calls those that the control plane reaches itself, `waking` makes that soon, `absence` says why a host is away,
`nodes` keeps their hosts, `configs` what nodes share."""
