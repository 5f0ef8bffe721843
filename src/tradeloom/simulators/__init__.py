"""Protocol-true local stand-ins of venues: one process, one port, a path per venue.

    async with Simulator([BinanceSpot(seed=1, clock=SystemClock())]) as simulator:
        client.base_url = simulator.url("binance")

Rooms inside, from the inside out:

    orders, book, admission, settlement, accounts, bars, exchange   a real exchange; knows no wire
    market sources: tape (recordings), synthetic (made), fitting    what the outside market does
    faults, keys, rates, clock, conflation, figures                 what every dialect needs
    dialect, sessions, server, admin, player                        the wire, dialect-free
    binance/, binance_usdm/, …                                      one folder per venue

How to write a dialect
----------------------
1. Subclass `VenueDialect` (dialect.py) in `simulators/<venue>/__init__.py` (export the class) and
   split the folder by subject: market streams, trading, private events, errors, signing. Set
   `name`, `fees`, `self_trade`; add a row to `DIALECTS` in `venues.py`.
2. `instruments()` returns `VenueInstrument`s for our symbols (`BTCUSDT`; `references.py` has
   prices and default steps to start from). Everything inside speaks mantissas (`digits`) and
   sizes of 1e-8; turn them to text with `figures.fixed`/`plain`, read text with `figures.scaled`
   (raises `BadFigure`, which is a ValueError).
3. REST: `routes()` gives `Route(method, path, handler, places=…)`; a handler takes a `Call` and
   returns a `Reply` (`json_reply(...)`), or raises `VenueError(reply)` in the venue's own words.
   `before(call)` is where rate limits are counted (`rates.FixedWindow`, `rates.Bucket`); the
   headers it returns are added to the answer. Check signatures in the handlers (or one wrapper of
   yours): `self.keys.find(key)`, times against `self.clock.now_ms()`, never `time.time()`.
4. Sockets: `sockets()` gives `Socket(path, purpose, ping_s, pong_s)`. `on_open(session)` greets and
   reads subscriptions in the URL (`session.call`); `on_message(session, text)` handles frames:
   reply with `session.send(bytes)`; use `await self.respond(session, method, answer, places=…)`
   for whatever trades, so that the faults of requests strike there too. Sign-in sets
   `session.credentials`. Keep what else you need in `session.state`.
5. Market data: `subscribe(session, channel)` (any text you choose), `publish(channel, payload)`;
   override `framed(session, channel, payload)` when each connection gets its own envelope or
   counter. `on_quote`, `on_trade`, `on_book` are called for every change; for books sent every
   100 ms keep a `BookFeed`, `note(delta)` in `on_book`, and `self.every(0.1, flush)` in `__init__`.
   Skip encoding when not `self.wanted(channel)`. `self.exchange.snapshot(symbol, depth)` is the
   whole book at its newest `seq`, to send at subscription. Ask `self.strikes(
   FaultKind.BAD_CHECKSUM, channel)` before you send a checksum (where there is none, spoil a size).
6. Trading: build a `NewOrder`, call `self.exchange.place(account, asked)`; `Refused.reason` is what
   you translate to the venue's error code. `cancel`, `cancel_all`, `amend`, `order`, `open_orders`,
   `orders`, `fills`, `available`, `check` (test orders) are on `Exchange`. `NewOrder.note` carries
   your own extra fields and comes back on every event.
7. Private events: `tell(event)` gets `OrderEvent` (with the order as it was then, and the fill) and
   `BalanceEvent` in order, after the answer of the call that caused them (the fault
   `fill_before_ack` turns that round). Send to `self.sessions_of(event.account)`.
8. Recordings of your venue: `read_frame(ts_ns, frame)` returns (channel, payload, event) so that a
   capture can be played as it is; its events move our book, so that our orders match against it.
   Where there is none, other venues' recordings are fitted to your instruments and encoded by you.
9. `failure(status, retry_after_s, where)`, `notice()`, `expire_tokens()` put faults into words.
10. Tests in tests/simulators/<venue>/: real sockets, vectors of the venue's signature, and a client
   that is not ours (ccxt.pro) as the judge.
"""

from __future__ import annotations

from tradeloom.simulators.clock import HandClock, SystemClock
from tradeloom.simulators.dialect import VenueDialect
from tradeloom.simulators.player import MarketPlayer, Tape
from tradeloom.simulators.server import Simulator

__all__ = ["HandClock", "MarketPlayer", "Simulator", "SystemClock", "Tape", "VenueDialect"]
