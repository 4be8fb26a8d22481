"""Values and decisions. No clock, no I/O, nothing but the standard library and pydantic."""
