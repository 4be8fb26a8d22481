"""A load as the main process of a pod: `pod` runs it, `status_server` says by HTTP how it stands."""
