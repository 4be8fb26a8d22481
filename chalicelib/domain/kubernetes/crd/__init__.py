"""The custom resource definitions, made of the models: `definitions` has the three CRDs, `structural` the way from a
model to an OpenAPI schema, `forms` what a schema cannot be told by pydantic, `rules` the models' own rules in CEL."""
