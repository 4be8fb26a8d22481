"""The fleet's decisions and the OpAMP codec against the stock supervisor and collector."""
