"""The running service: wires shard, store, market and gateways into one process."""
