"""Quotes, trades and book updates in the frames of venues, as recorded from 2021 to 2024.

Times are integers in the venue's unit, prices and sizes text (or JSON integers).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tradeloom.marketdata.history.formats.capture import Row, register_decoder
from tradeloom.marketdata.history.kinds import Kind

_MS: Final = 1_000_000
_Add = Callable[[Row], None]
_SIDES: Final = {"buy": 1, "sell": -1, "Buy": 1, "Sell": -1, "b": 1, "s": -1}
_MAKERS: Final = {"buy": -1, "sell": 1}


def binance(ts_ns: int, frame: Any, add: _Add) -> bool:
    """bookTicker, trade, aggTrade and depth frames, and the REST snapshot a capture may hold."""
    stream: str | None = frame.get("stream")
    if stream is None:
        # A REST snapshot does not name its symbol; the frames after it do not need it.
        return False
    data = frame["data"]
    name = stream.partition("@")[2]
    symbol = data["s"]
    if name == "bookTicker":
        venue_ns = data.get("E", 0) * _MS
        add((symbol, Kind.QUOTES, (ts_ns, venue_ns, data["b"], data["a"], data["B"], data["A"])))
    elif name in {"trade", "aggTrade"}:
        traded = str(data["t"] if name == "trade" else data["a"])
        side = -1 if data["m"] else 1
        row = (ts_ns, data["T"] * _MS, data["p"], data["q"], side, traded)
        add((symbol, Kind.TRADES, row))
    elif name.startswith("depth"):
        head = (ts_ns, data["E"] * _MS, data["U"], data["u"], False)
        for side, levels in ((1, data["b"]), (-1, data["a"])):
            for price, size in levels:
                add((symbol, Kind.BOOK, (*head, side, price, size)))
    else:
        return False
    return True


def okx(ts_ns: int, frame: Any, add: _Add) -> bool:
    """Frames of `tickers`, `trades` and `books`."""
    channel = frame.get("arg", {}).get("channel") if "data" in frame else None
    symbol = frame["arg"].get("instId") if channel else ""
    for each in frame["data"] if channel in {"tickers", "trades", "books"} else ():
        venue_ns = int(each["ts"]) * _MS
        if channel == "tickers":
            sides = (each["bidPx"], each["askPx"], each["bidSz"], each["askSz"])
            add((symbol, Kind.QUOTES, (ts_ns, venue_ns, *sides)))
        elif channel == "trades":
            row = (ts_ns, venue_ns, each["px"], each["sz"], _SIDES[each["side"]], each["tradeId"])
            add((symbol, Kind.TRADES, row))
        else:
            # Without sequence numbers in frames of 2022 the venue's time has to do.
            seq = int(each.get("seqId", each["ts"]))
            head = (ts_ns, venue_ns, seq, seq, frame["action"] == "snapshot")
            for side, levels in ((1, each["bids"]), (-1, each["asks"])):
                for level in levels:
                    add((symbol, Kind.BOOK, (*head, side, level[0], level[1])))
    return channel in {"tickers", "trades", "books"}


def coinbase(ts_ns: int, frame: Any, add: _Add) -> bool:
    """Frames `ticker` and `match` of the Exchange feed; a match names the maker's side."""
    kind = frame["type"]
    if kind == "ticker":
        quote = (frame["best_bid"], frame["best_ask"], "0", "0")
        add((frame["product_id"], Kind.QUOTES, (ts_ns, _iso_ns(frame["time"]), *quote)))
    elif kind in {"match", "last_match"}:
        traded = (frame["price"], frame["size"], _MAKERS[frame["side"]], str(frame["trade_id"]))
        add((frame["product_id"], Kind.TRADES, (ts_ns, _iso_ns(frame["time"]), *traded)))
    else:
        return False
    return True


def kraken(ts_ns: int, frame: Any, add: _Add) -> bool:
    """Arrays of the channels `ticker` and `trade` of WebSocket v1."""
    if not isinstance(frame, list):
        return False
    name, pair = frame[-2], frame[-1]
    if name == "ticker":
        ask, bid = frame[1]["a"], frame[1]["b"]
        add((pair, Kind.QUOTES, (ts_ns, 0, bid[0], ask[0], bid[2], ask[2])))
    elif name == "trade":
        for price, size, stamp, side, *_ in frame[1]:
            seconds, _, rest = stamp.partition(".")
            venue_ns = int(seconds + rest.ljust(9, "0")[:9])
            add((pair, Kind.TRADES, (ts_ns, venue_ns, price, size, _SIDES[side], stamp)))
    else:
        return False
    return True


def deribit(ts_ns: int, frame: Any, add: _Add) -> bool:
    """Notifications of the channels `ticker`, `quote` and `trades`."""
    params = frame.get("params")
    if not params:
        return False
    channel, data = params["channel"].partition(".")[0], params["data"]
    if channel in {"ticker", "quote"}:
        names = ("best_bid_price", "best_ask_price", "best_bid_amount", "best_ask_amount")
        sides = tuple(str(data[each]) for each in names)
        row = (ts_ns, data["timestamp"] * _MS, *sides)
        add((data["instrument_name"], Kind.QUOTES, row))
    elif channel == "trades":
        for each in data:
            traded = (str(each["price"]), str(each["amount"]), _SIDES[each["direction"]])
            row = (ts_ns, each["timestamp"] * _MS, *traded, each["trade_id"])
            add((each["instrument_name"], Kind.TRADES, row))
    else:
        return False
    return True


def bybit(ts_ns: int, frame: Any, add: _Add) -> bool:
    """Frames of the `trade` topics of the v2 feed."""
    if not str(frame.get("topic", "")).startswith("trade."):
        return False
    for each in frame["data"]:
        venue_ns = int(each["trade_time_ms"]) * _MS
        traded = (str(each["price"]), str(each["size"]), _SIDES[each["side"]], each["trade_id"])
        add((each["symbol"], Kind.TRADES, (ts_ns, venue_ns, *traded)))
    return True


def _iso_ns(text: str) -> int:
    # Whole microseconds, which a float of seconds would not hold.
    when = datetime.fromisoformat(text)
    return int(when.replace(microsecond=0).timestamp()) * 10**9 + when.microsecond * 1_000


register_decoder("binance", binance, ("stream.binance.com",))
register_decoder("binance-usdm", binance, ("fstream.binance.com",))
register_decoder("bybit", bybit, ("bybit.com",))
register_decoder("coinbase", coinbase, ("coinbase.com",))
register_decoder("deribit", deribit, ("deribit.com",))
register_decoder("kraken", kraken, ("kraken.com",))
register_decoder("okx", okx, ("okx.com",))
