"""Our own connectors keep the contract: a paper account on a venue's quotes, and the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.connectors.stage import staged
from tradeloom.app.market import packed
from tradeloom.connectors.contract import (
    AccountEvent,
    Amendment,
    Connector,
    OrderRequest,
    Outcome,
    State,
    UnknownOrder,
    UnknownSymbol,
    VenueFill,
    VenueOrder,
)
from tradeloom.connectors.house import HouseConnector
from tradeloom.connectors.paper import PaperConnector
from tradeloom.domain import commands as c
from tradeloom.domain import presets
from tradeloom.domain.enums import OrderState, OrderType, ReturnCode, Side, TimeInForce
from tradeloom.domain.market import BookQuote, MarketEvent, Topic
from tradeloom.engine.shard import Shard
from tradeloom.gateways.desk import Desk
from tradeloom.gateways.quotes import Quote, QuoteBoard


class Own:
    """A connector of ours with a market that the test moves."""

    def __init__(
        self, connector: Connector, symbol: str, volume: str, price: Callable[[int], Decimal]
    ) -> None:
        self.connector = connector
        self.symbol = symbol
        self.volume = Decimal(volume)
        self.price = price
        self.move: Callable[[int], None] = lambda steps: None
        self.account: list[AccountEvent] = []
        self.market: list[MarketEvent] = []
        connector.listen(self.account.append)

    def order(self, client_id: str, steps: int | None, **terms: object) -> OrderRequest:
        """A buy: limit so many steps from the market, or at the market."""
        made = OrderRequest(
            client_id=client_id, symbol=self.symbol, side=Side.BUY, volume=self.volume
        )
        if steps is not None:
            made = msgspec.structs.replace(made, type=OrderType.LIMIT, price=self.price(steps))
        return msgspec.structs.replace(made, **terms)

    async def becomes(self, client_id: str, state: OrderState) -> VenueOrder:
        """Wait for an order's state."""
        for _ in range(1_000):
            news = [e for e in self.account if isinstance(e, VenueOrder)]
            mine = [e for e in news if e.client_id == client_id]
            if mine and mine[-1].state is state:
                return mine[-1]
            await asyncio.sleep(0.005)
        raise AssertionError(f"{client_id} is not {state}: {self.account}")


@asynccontextmanager
async def paper(folder: Path) -> AsyncIterator[Own]:
    """A paper account on the simulated Binance."""
    async with staged("binance", ("BTCUSDT",), key=lambda venue: None) as stage:
        money = {"USDT": Decimal(100_000)}
        account = PaperConnector(stage.connector, money=money, path=folder / "paper.db")
        await account.start()
        own = Own(account, "BTCUSDT", "0.5", lambda steps: Decimal(60_000 + steps))
        own.move = lambda steps: stage.quote("BTCUSDT", f"{59_999 + steps}", f"{60_001 + steps}")
        try:
            own.move(0)
            yield own
        finally:
            await account.close()


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[Own]:
    """The engine with one account."""
    async with await Shard.open(folder / "journal", 0) as shard:
        desk, board = Desk(shard), QuoteBoard()
        for currency in ("EUR", "USD"):
            await desk.checked(c.DefineCurrency(currency=presets.CURRENCIES[currency]))
        instrument = msgspec.structs.replace(presets.INSTRUMENTS["EURUSD"], sessions=())
        await desk.checked(c.DefineInstrument(instrument=instrument))
        await desk.checked(c.DefineGroup(group=presets.DEMO))
        await desk.checked(c.OpenAccount(account=7, group=presets.DEMO.name))
        await desk.checked(c.Deposit(account=7, amount=Decimal(100_000)))
        connector = HouseConnector(desk, 7, quotes=board.listen, events=shard.subscribe)
        index = desk.names.instrument("EURUSD")

        def move(steps: int) -> None:
            bid, ask = 109_999 + steps, 110_001 + steps
            shard.quote(packed(index, bid, ask))
            board.publish([Quote("EURUSD", 5, bid, ask, 1, board.count + 1)])

        move(0)
        await connector.start()
        own = Own(connector, "EURUSD", "0.5", lambda steps: Decimal(110_000 + steps).scaleb(-5))
        own.move = move
        try:
            yield own
        finally:
            await connector.stop()


@pytest.fixture(params=["paper", "house"])
async def own(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Own]:
    """Each of them."""
    make = paper if request.param == "paper" else house
    async with make(tmp_path) as made:
        yield made


async def test_quotes_arrive(own: Own) -> None:
    """The market's quotes, as every venue tells them."""
    await own.connector.subscribe([own.symbol], [Topic.QUOTES], own.market.append)
    for _ in range(400):
        own.move(3)
        own.move(4)
        if any(isinstance(e, BookQuote) for e in own.market):
            break
        await asyncio.sleep(0.01)
    quote = next(e for e in own.market if isinstance(e, BookQuote))
    assert Decimal(quote.ask).scaleb(-quote.digits) in (own.price(4), own.price(5))
    with pytest.raises(UnknownSymbol):
        await own.connector.subscribe(["NOSUCH"], [Topic.QUOTES], own.market.append)


async def test_a_market_order_fills_once_and_is_in_the_books(own: Own) -> None:
    """One fill at the touch; the account shows it."""
    await _quoted(own)
    answer = await own.connector.submit(own.order("m1", None))
    assert answer.outcome is Outcome.ACCEPTED, answer
    order = await own.becomes("m1", OrderState.FILLED)
    assert order.filled == own.volume
    (fill,) = [e for e in own.account if isinstance(e, VenueFill)]
    assert (fill.client_id, fill.volume, fill.price) == ("m1", own.volume, own.price(1))
    assert [each.client_id for each in await own.connector.fills()] == ["m1"]
    held = [each.total for each in await own.connector.balances() if each.currency == "BTC"]
    volumes = [each.volume for each in await own.connector.positions()]
    assert [*held, *volumes] == [own.volume]


async def test_a_limit_order_rests_is_amended_fills_and_ends(own: Own) -> None:
    """It works until the market reaches it."""
    await _quoted(own)
    await own.connector.submit(own.order("l1", -50))
    await own.becomes("l1", OrderState.WORKING)
    assert [each.client_id for each in await own.connector.open_orders()] == ["l1"]
    changed = await own.connector.amend(Amendment(client_id="l1", price=own.price(-20)))
    assert changed.outcome is Outcome.ACCEPTED, changed
    assert (await own.connector.query("l1")).price == own.price(-20)
    own.move(-30)
    await own.becomes("l1", OrderState.FILLED)
    ended = await own.connector.cancel("l1")
    assert ended.code is ReturnCode.TRADE_INCORRECT_STATE


async def test_the_same_request_is_one_order(own: Own) -> None:
    """The second answer is the first; another body is refused."""
    await _quoted(own)
    request = own.order("s1", -50)
    first = await own.connector.submit(request)
    second = await own.connector.submit(request)
    assert second.venue_order_id == first.venue_order_id
    assert len(await own.connector.open_orders()) == 1
    other = await own.connector.submit(msgspec.structs.replace(request, side=Side.SELL))
    assert other.code is ReturnCode.DUPLICATE_ID


async def test_orders_without_money_or_sense_are_refused(own: Own) -> None:
    """Too large for the account, unknown symbol, wrong step."""
    await _quoted(own)
    for terms, field in (
        ({"volume": Decimal(900)}, "volume"),
        ({"symbol": "NOSUCH"}, None),
        ({"volume": own.volume + Decimal("0.00000000001")}, "volume"),
    ):
        answer = await own.connector.submit(own.order(f"bad{len(own.account)}", None, **terms))
        assert answer.outcome is Outcome.REFUSED, terms
        assert answer.message
        if field is not None and answer.code is not ReturnCode.TRADE_NO_MONEY:
            assert answer.field == field
    with pytest.raises(UnknownOrder):
        await own.connector.query("never")


async def test_killed_cancels_and_refuses_until_reset(own: Own) -> None:
    """As with every venue."""
    await _quoted(own)
    await own.connector.submit(own.order("k1", -50))
    await own.becomes("k1", OrderState.WORKING)
    await own.connector.kill("test")
    await own.becomes("k1", OrderState.CANCELLED)
    assert own.connector.health().state is State.KILLED
    refused = await own.connector.submit(own.order("k2", -50))
    assert refused.outcome is Outcome.REFUSED
    await own.connector.reset("over")
    assert (await own.connector.submit(own.order("k3", -50))).outcome is Outcome.ACCEPTED


async def test_paper_books_survive_a_restart(tmp_path: Path) -> None:
    """Orders rest and balances stand after a new start from the same file."""
    async with paper(tmp_path) as own:
        await _quoted(own)
        await own.connector.submit(own.order("m1", None))
        await own.connector.submit(own.order("l1", -50))
        await own.connector.submit(own.order("i1", -50, tif=TimeInForce.IOC))
        await own.becomes("i1", OrderState.CANCELLED)
        before = await own.connector.balances()
    async with paper(tmp_path) as own:
        assert [each.client_id for each in await own.connector.open_orders()] == ["l1"]
        after = await own.connector.balances()
        assert {each.currency: each.total for each in after} == {
            each.currency: each.total for each in before
        }


async def _quoted(own: Own) -> None:
    """Make sure that there is a price."""
    if isinstance(own.connector, PaperConnector):
        await own.connector.subscribe([own.symbol], [Topic.QUOTES], own.market.append)
        for _ in range(400):
            own.move(1)
            own.move(0)
            await asyncio.sleep(0.01)
            quotes = [e for e in own.market if isinstance(e, BookQuote)]
            if quotes and quotes[-1].ask == 6_000_100:
                break
