"""Replay: recorded or generated ticks through the engine, with thousands of scripted accounts."""
