"""Recording, preview and recommendation as a user types them, on the real collector."""
