"""What every route shares: its declaration, authentication, errors as problem+json, and the OpenAPI document."""
