"""The terminal client: the daily jobs of a trader and of staff, over REST and WebSocket."""
