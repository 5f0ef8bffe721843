"""Venues behind one contract (`contract.py`).

A venue is a `Dialect` (its protocol, one folder under `venues/`) on the shared `VenueConnector`
(connections, resync, order safety). `docs/guide/connectors.md` tells how to write one.
"""
