"""The methods of the venue services: name, message in, message out, and whether the reply streams.

Server and client are both made from this table, so a method cannot be spelled in two ways.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from tradeloom.connectors.proto import venue_pb2 as pb

PACKAGE: Final = "tradeloom.venue.v1"
MARKET_DATA: Final = f"{PACKAGE}.MarketData"
TRADE_FLOW: Final = f"{PACKAGE}.TradeFlow"
_WORD: Final = re.compile(r"(?<!^)(?=[A-Z])")
ADMIN: Final = f"{PACKAGE}.Admin"
# Books of venues are some hundred kB as messages; a list of 3,000 instruments is 600 kB.
MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
OPTIONS: Final = (
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.so_reuseport", 0),
)


class Method(NamedTuple):
    """One method of a service."""

    name: str
    request: type[Any]
    reply: type[Any]
    streams: bool = False

    @property
    def attribute(self) -> str:
        """Its name as Python writes it."""
        return _WORD.sub("_", self.name).lower()


SERVICES: Final[dict[str, tuple[Method, ...]]] = {
    MARKET_DATA: (
        Method("ListInstruments", pb.InstrumentsRequest, pb.Instruments),
        Method("Snapshot", pb.SnapshotRequest, pb.Book),
        Method("HistoricBars", pb.BarsRequest, pb.Bars),
        Method("Subscribe", pb.SubscribeRequest, pb.MarketEvents, streams=True),
    ),
    TRADE_FLOW: (
        Method("Submit", pb.OrderRequest, pb.OrderAnswer),
        Method("Amend", pb.Amendment, pb.OrderAnswer),
        Method("Cancel", pb.ClientId, pb.OrderAnswer),
        Method("CancelAll", pb.SymbolFilter, pb.OrderAnswers),
        Method("Query", pb.ClientId, pb.Order),
        Method("OpenOrders", pb.SymbolFilter, pb.Orders),
        Method("ListFills", pb.FillsRequest, pb.Fills),
        Method("ListPositions", pb.PositionsRequest, pb.Positions),
        Method("ListBalances", pb.BalancesRequest, pb.Balances),
        Method("Listen", pb.ListenRequest, pb.AccountEvent, streams=True),
    ),
    ADMIN: (
        Method("GetInfo", pb.InfoRequest, pb.Info),
        Method("GetHealth", pb.HealthRequest, pb.Health),
        Method("GetLimits", pb.LimitsRequest, pb.Limits),
        Method("Drain", pb.DrainRequest, pb.DrainReply),
        Method("Reconnect", pb.Reason, pb.Done),
        Method("Kill", pb.Reason, pb.OrderAnswers),
        Method("Reset", pb.Reason, pb.Done),
        Method("CancelOnDisconnect", pb.DeadManRequest, pb.Done),
    ),
}
