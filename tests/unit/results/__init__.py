"""Which experiments an answer with metrics holds."""
