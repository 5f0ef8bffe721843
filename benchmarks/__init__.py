"""Measurements of Tradeloom: each checks its answer before it prints a number."""
