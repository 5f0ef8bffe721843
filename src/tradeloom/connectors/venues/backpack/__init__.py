"""Backpack Exchange: spot and perpetuals."""
