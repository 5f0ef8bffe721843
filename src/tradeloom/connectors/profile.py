"""The dated facts of a venue: addresses, budgets and habits; every address can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from tradeloom.domain.market import Topic


class Need(Enum):
    """What a key consists of; asked for by the vault and checked before a connection is made."""

    KEY = "key"
    SECRET = "secret"  # noqa: S105
    PASSPHRASE = "passphrase"  # noqa: S105
    REFRESH_TOKEN = "refresh_token"  # noqa: S105
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Window:
    """A budget of the venue: `limit` units per `per_s` seconds.

    Most venues' budgets refill evenly, or may be treated so. Where a venue counts anew each
    interval and refuses one too many, `fixed` keeps every span of `per_s` within the limit.
    """

    name: str
    limit: int
    per_s: float
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A venue as of `date`.

    `urls` names every base address. `windows` are budgets that calls and frames take from.
    `client_id_max` is the longest client id the venue takes. `simulated_paths` gives addresses
    that differ by host alone a path of their own on a simulator, where all hosts are one.
    """

    venue: str
    title: str
    date: str
    port: int  # of its gRPC service
    urls: Mapping[str, str]
    windows: tuple[Window, ...]
    topics: tuple[Topic, ...] = (Topic.QUOTES, Topic.TRADES, Topic.BOOK)
    needs: tuple[Need, ...] = (Need.KEY, Need.SECRET)
    features: tuple[str, ...] = ()
    client_id_max: int = 32
    quirks: Mapping[str, object] = field(default_factory=dict)
    simulated_paths: Mapping[str, str] = field(default_factory=dict)

    def at(self, overrides: Mapping[str, str]) -> dict[str, str]:
        """The addresses with these in place of some; raises ValueError for a name it lacks."""
        unknown = sorted(set(overrides) - set(self.urls))
        if unknown:
            have = ", ".join(self.urls)
            raise ValueError(
                f"{self.venue} has no address {', '.join(unknown)} (there are: {have})"
            )
        return {name: overrides.get(name, url).rstrip("/") for name, url in self.urls.items()}

    def simulated(self, base: str) -> dict[str, str]:
        """The addresses on a simulator: `base` is `http://host:port`; the paths stay the venue's.

        `https://api.binance.com/api` becomes `http://host:port/binance/api`.
        """
        place = urlsplit(base)
        secure = place.scheme in ("https", "wss")
        made = {}
        for name, url in self.urls.items():
            parts = urlsplit(url)
            socket = parts.scheme in ("ws", "wss")
            scheme = ("wss" if secure else "ws") if socket else ("https" if secure else "http")
            path = self.simulated_paths.get(name, parts.path)
            made[name] = f"{scheme}://{place.netloc}/{self.venue}{path}".rstrip("/")
        return made


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Keys of one account at a venue, from the vault; never shown."""

    account: str
    values: Mapping[Need, str]

    def __getitem__(self, need: Need) -> str:
        return self.values[need]

    def __repr__(self) -> str:
        return f"Credentials({self.account})"
