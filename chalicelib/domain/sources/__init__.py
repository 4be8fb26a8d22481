"""Figures of the arms that were read elsewhere than at the edge: joined with the edge's scrapes, and compared. Pure."""
