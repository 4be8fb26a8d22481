"""Price books, bills, projections, savings."""
