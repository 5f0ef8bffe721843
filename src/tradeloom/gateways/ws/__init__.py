"""The WebSocket gateway: `/ws`, quotes and events as they happen, JSON or MessagePack."""
