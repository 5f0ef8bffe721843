"""Deribit: perpetual futures, inverse and linear, over JSON-RPC."""
