"""The gateways, REST and WebSocket today: they translate between wires and commands."""
