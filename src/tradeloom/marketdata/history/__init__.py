"""The history catalog: quotes, trades, minute bars and books in Parquet files, and their import."""

from tradeloom.marketdata.history.catalog import Catalog, Coverage, Damage, Written
from tradeloom.marketdata.history.errors import CatalogError
from tradeloom.marketdata.history.formats import (
    Options,
    Piece,
    Source,
    register_decoder,
    register_importer,
)
from tradeloom.marketdata.history.importing import import_paths
from tradeloom.marketdata.history.kinds import Kind, Stream
from tradeloom.marketdata.history.replayed import quote_chunks
from tradeloom.marketdata.history.report import Report
from tradeloom.marketdata.recordings.catalog import is_catalog

__all__ = [
    "Catalog",
    "CatalogError",
    "Coverage",
    "Damage",
    "Kind",
    "Options",
    "Piece",
    "Report",
    "Source",
    "Stream",
    "Written",
    "import_paths",
    "is_catalog",
    "quote_chunks",
    "register_decoder",
    "register_importer",
]
