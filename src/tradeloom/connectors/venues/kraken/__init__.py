"""Kraken spot: WebSocket v2 for prices, orders and account news, REST for everything else."""
