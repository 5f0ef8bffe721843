"""Market data: recorded markets, generated markets, and both as one time-ordered stream."""
