"""`tradeloom simulate`: venues of one's own, on a port of one's own."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import typer

from tradeloom.domain.market import BookDelta
from tradeloom.simulators import MarketPlayer, Simulator, SystemClock, Tape, VenueDialect
from tradeloom.simulators.synthetic import synthetic
from tradeloom.simulators.tape import RecordingError, recorded, symbols_of, venue_of
from tradeloom.simulators.venues import DIALECTS, dialect

EXIT_BAD_INPUT = 2
SPEED_MAX = "max"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What `tradeloom simulate` was asked for."""

    venues: str
    recordings: Sequence[Path] = ()
    speed: str = "1"
    host: str = "127.0.0.1"
    port: int = 9777
    seed: int = 1
    symbols: str = ""
    keys: Sequence[str] = ()
    rate: float = 10.0
    loop: bool = False
    hold: bool = False


def simulate(wanted: Wanted) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    try:
        simulator = prepared(wanted)
    except (ValueError, RecordingError) as error:
        typer.echo(f"tradeloom: {error}", err=True)
        return EXIT_BAD_INPUT
    try:
        _run(simulator)
    except OSError as error:
        typer.echo(
            f"tradeloom: cannot listen on {wanted.host}:{wanted.port}: {error.strerror}; "
            "choose another --port",
            err=True,
        )
        return 1
    return 0


def prepared(wanted: Wanted) -> Simulator:
    """The simulator that was asked for, not started. Raises ValueError."""
    speed = _speed(wanted.speed)
    names = _names(wanted.venues)
    origin = None
    symbols = [each.strip().upper() for each in wanted.symbols.split(",") if each.strip()]
    if wanted.recordings:
        origin = venue_of(wanted.recordings, [dialect(each) for each in DIALECTS])
        symbols = symbols or symbols_of(wanted.recordings, origin)
    venues = [
        dialect(each)(seed=wanted.seed, clock=SystemClock(), symbols=symbols) for each in names
    ]
    _add_keys(venues, wanted.keys)
    players = []
    for venue in venues:
        verbatim = origin is type(venue) and not wanted.loop
        source = _source(wanted, venue, origin, symbols)
        players.append(
            MarketPlayer(venue, source, speed=speed, verbatim=verbatim, held=wanted.hold)
        )
    return Simulator(venues, players, host=wanted.host, port=wanted.port)


def _names(text: str) -> list[str]:
    if text.strip().lower() == "all":
        return list(DIALECTS)
    names = [each for each in text.split(",") if each.strip()]
    if not names:
        raise ValueError(f"name a venue, or all; there are {', '.join(DIALECTS)}")
    return list(dict.fromkeys(names))


def _speed(text: str) -> float:
    if text == SPEED_MAX:
        return 0.0
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0.0 < speed <= 100_000.0:
        raise ValueError(f"--speed {text!r} is neither a positive number nor {SPEED_MAX!r}")
    return speed


def _add_keys(venues: Sequence[VenueDialect], keys: Sequence[str]) -> None:
    by_name = {each.name: each for each in venues}
    for text in keys:
        name, equals, rest = text.partition("=")
        venue = by_name.get(name.lower().replace("-", "_")) if equals else None
        if venue is None:
            rest = text
            if len(venues) != 1:
                raise ValueError("with several venues a key is VENUE=KEY:SECRET")
            venue = venues[0]
        venue.add_key(venue.credentials_of(rest))


def _source(
    wanted: Wanted, venue: VenueDialect, origin: type[VenueDialect] | None, symbols: Sequence[str]
) -> Iterator[Tape]:
    if origin is None:
        at = [market.instrument for market in venue.exchange.markets.values()]
        return synthetic(at, wanted.seed, venue.clock.now_ns(), wanted.rate)
    reader = venue
    if origin is not type(venue):
        # Only reads: it is never served, and needs no keys.
        reader = origin(
            seed=wanted.seed, clock=SystemClock(), symbols=list(symbols), demo_keys=False
        )
    if not wanted.loop:
        return recorded(wanted.recordings, reader, venue)
    return itertools.chain.from_iterable(
        _round(wanted.recordings, reader, venue) for _ in itertools.count()
    )


def _round(paths: Sequence[Path], reader: VenueDialect, venue: VenueDialect) -> Iterator[Tape]:
    """A recording from its start, with empty books before it."""
    first = True
    for tape in recorded(paths, reader, venue):
        if first:
            for market in venue.exchange.markets.values():
                at = market.instrument
                empty = BookDelta(at.venue, at.symbol, at.digits, True, (), (), 0, tape.ts_ns)
                yield Tape(tape.ts_ns, empty)
            first = False
        yield tape


def _run(simulator: Simulator) -> None:
    if sys.platform == "win32":
        asyncio.run(_serve(simulator))
    else:
        import uvloop

        uvloop.run(_serve(simulator))


async def _serve(simulator: Simulator) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
    async with simulator:
        typer.echo(banner(simulator))
        sys.stdout.flush()
        await ended.wait()


def banner(simulator: Simulator) -> str:
    """Where the venues are, and how to get in. The keys are to play money."""
    lines = ["Simulated venues (play money; prices are not real):"]
    for name, venue in simulator.venues.items():
        market = "recorded frames as they were" if venue.exchange.tape_only else "its own encoding"
        symbols = list(venue.exchange.markets)
        shown = ", ".join(symbols[:6]) + (" …" if len(symbols) > 6 else "")
        lines += [
            f"  {name}: {simulator.url(name)}  {simulator.ws_url(name)}",
            f"    market: {market}; {shown}",
        ]
        for each in venue.keys.all():
            lines.append(f"    key {each.key}  account {each.account}")
            if each.passphrase:
                lines.append(f"      passphrase {each.passphrase}")
            lines += [f"      {line}" for line in f"secret {each.secret}".strip().splitlines()]
    lines += [f"Faults and steps: {simulator.admin_url}/faults", "Stop with Ctrl-C."]
    return "\n".join(lines)
