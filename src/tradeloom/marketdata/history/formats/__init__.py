"""The formats that can be imported. Rooms above register more with `register_importer`."""

from tradeloom.marketdata.history.formats import capture, frames, lean, table
from tradeloom.marketdata.history.formats.capture import register_decoder
from tradeloom.marketdata.history.formats.format import (
    Options,
    Piece,
    Source,
    Unknown,
    format_names,
    recognise,
    register_importer,
)

__all__ = [
    "Options",
    "Piece",
    "Source",
    "Unknown",
    "format_names",
    "frames",
    "recognise",
    "register_decoder",
    "register_importer",
]

# The last is asked first: CSV takes what the others left.
register_importer("csv", table.recognise)
register_importer("cryptofeed", capture.recognise_cryptofeed)
register_importer("binance", capture.recognise_stamped)
register_importer("lean", lean.recognise)
