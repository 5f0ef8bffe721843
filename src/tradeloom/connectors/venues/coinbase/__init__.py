"""Coinbase spot (Advanced Trade): prices and account news over sockets, orders by REST."""
