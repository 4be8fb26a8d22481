"""The HTTPS API: one module a noun, each a function from services to declared routes. `furniture` is what all share."""
