"""A client that is not ours: made by protoc from the proto file alone, in a process of its own.

python foreign_client.py FOLDER_WITH_GENERATED_CODE HOST:PORT SYMBOL
"""

import json
import sys
from decimal import Decimal
from typing import Any

import grpc

sys.path.insert(0, sys.argv[1])
pb: Any = __import__("venue_pb2")
stubs: Any = __import__("venue_pb2_grpc")
T = 10.0

with grpc.insecure_channel(sys.argv[2]) as channel:
    market = stubs.MarketDataStub(channel)
    trade = stubs.TradeFlowStub(channel)
    admin = stubs.AdminStub(channel)
    symbol = sys.argv[3]
    said: dict[str, Any] = {"venue": admin.GetInfo(pb.InfoRequest(), timeout=T).venue}
    said["links"] = len(admin.GetHealth(pb.HealthRequest(), timeout=T).links)
    said["limits"] = [each.name for each in admin.GetLimits(pb.LimitsRequest(), timeout=T).limits]
    listed = market.ListInstruments(pb.InstrumentsRequest(), timeout=T).instruments
    said["listed"] = [each.symbol for each in listed]
    said["bids"] = len(market.Snapshot(pb.SnapshotRequest(symbol=symbol, depth=3), timeout=T).bids)
    span = pb.BarsRequest(symbol=symbol, interval_s=60, since_ns=1, until_ns=60 * 10**9)
    said["bars"] = len(market.HistoricBars(span, timeout=T).bars)
    news = trade.Listen(pb.ListenRequest(), timeout=30)
    quotes = market.Subscribe(pb.SubscribeRequest(symbols=[symbol]), timeout=30)
    for _ in range(2):
        said["quote"] = next(iter(quotes)).events[-1].WhichOneof("event")
    order = pb.OrderRequest(
        client_id="foreign-1", symbol=symbol, side=1, volume="0.02", type=1, price="60000"
    )
    said["submit"] = trade.Submit(order, timeout=T).outcome
    said["told"] = next(news).WhichOneof("event")
    change = pb.Amendment(client_id="foreign-1", volume="0.01")
    said["amend"] = trade.Amend(change, timeout=T).outcome
    mine = pb.ClientId(client_id="foreign-1")
    said["volume"] = str(Decimal(trade.Query(mine, timeout=T).volume).normalize())
    said["open"] = [o.client_id for o in trade.OpenOrders(pb.SymbolFilter(), timeout=T).orders]
    said["cancel"] = trade.Cancel(mine, timeout=T).outcome
    said["all"] = len(trade.CancelAll(pb.SymbolFilter(), timeout=T).answers)
    said["fills"] = len(trade.ListFills(pb.FillsRequest(), timeout=T).fills)
    said["positions"] = len(trade.ListPositions(pb.PositionsRequest(), timeout=T).positions)
    balances = trade.ListBalances(pb.BalancesRequest(), timeout=T).balances
    said["money"] = sorted(each.currency for each in balances)
    try:
        admin.CancelOnDisconnect(pb.DeadManRequest(after_s=5), timeout=T)
    except grpc.RpcError as error:
        said["dead man"] = error.code().name
    said["killed"] = len(admin.Kill(pb.Reason(reason="a test"), timeout=T).answers)
    admin.Reset(pb.Reason(reason="over"), timeout=T)
    said["drained"] = admin.Drain(pb.DrainRequest(timeout_s=1), timeout=T).drained
    admin.Reconnect(pb.Reason(reason="a test"), timeout=T)
    try:
        market.Snapshot(pb.SnapshotRequest(symbol="NOSUCH"), timeout=T)
    except grpc.RpcError as error:
        said["unknown"] = error.code().name
    sys.stdout.write(json.dumps(said))
