"""Use cases of pipelines: `library` finds them, `pipelines` fills them in, `own_pipelines` and `drafts` take a tenant's
own, `pipeline_uses` says who refers to one, `validation` validates any configuration, `predictions` keeps what previews
said. No host is known here: what runs where is for `deployments` and `experiments`."""
