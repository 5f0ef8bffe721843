"""Every setting of the service in one typed object: flags, environment, TOML file, defaults.

What stands further left wins. The environment is `TRADELOOM_<FIELD>`; the file is the one named by
`TRADELOOM_CONFIG`, else `tradeloom.toml` in the working directory, and holds the same names in
small letters. An unknown name in the file is an error, so a typing mistake never passes silently.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PACKAGED_WEB: Final = Path(__file__).parent / "web"
CONFIG_VARIABLE: Final = "TRADELOOM_CONFIG"
CONFIG_FILE: Final = "tradeloom.toml"


class BadSettings(ValueError):  # noqa: N818
    """Settings that cannot be used; the text names each one and what is wrong with it."""


class Settings(BaseSettings):
    """What a running service can be told."""

    model_config = SettingsConfigDict(
        env_prefix="TRADELOOM_", extra="forbid", frozen=True, validate_default=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for every network.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    data_dir: Path = Field(
        Path("tradeloom-data"), description="Journal, snapshots, database, secrets; made if absent."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="postgresql://… ; empty: an SQLite file in the data directory.",
    )
    replay: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Recordings to play, looped; none: the generated market. Commas in env."
    )
    speed: float = Field(1.0, gt=0, le=1000, description="Market seconds per second of wall time.")
    seed: int = Field(1, ge=0, le=2**32 - 1, description="Names the generated market.")
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Symbols of the generated market to run; none: all of them."
    )
    venues: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Venues to take the market from, such as binance,kraken; none: see replay."
    )
    venue_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Other addresses of venues: VENUE.NAME=URL, or a simulator's http://…"
    )
    paper: bool = Field(
        False, description="Also a paper account on each venue's live prices, as VENUE-paper."
    )
    redis_url: SecretStr = Field(
        SecretStr(""), description="redis://… for the streams of the market; empty: in-process."
    )
    signup: bool = Field(True, description="Whether anybody may sign up as a trader.")
    demo_balance: str = Field(
        "10000", pattern=r"^\d{1,12}(\.\d{1,2})?$", description="Money of a new demo account."
    )
    four_eyes_amount: str = Field(
        "",
        pattern=r"^(\d{1,12}(\.\d{1,2})?)?$",
        description="Deposits, withdrawals, credit and corrections from this amount on wait for a "
        "second person; empty: never, 0: always.",
    )
    four_eyes_accounts: int = Field(
        0,
        ge=0,
        description="Changes of groups and instruments that concern so many accounts wait for a "
        "second person; 0: never.",
    )
    four_eyes_hours: float = Field(
        24.0, gt=0, le=720, description="How long such a request waits before it expires."
    )
    requests_per_s: float = Field(
        200.0, gt=0, description="Requests per second and client address, after a burst."
    )
    requests_burst: int = Field(400, ge=1, description="Requests a client may send at once.")
    orders_per_s: float = Field(
        5000.0, gt=0, description="Orders per second and user, after a burst."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Web origins allowed to call the API; none: CORS stays off."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Addresses of proxies whose X-Forwarded-For is believed."
    )
    web_dir: Path = Field(PACKAGED_WEB, description="Built web app to serve at /.")
    log_format: Literal["auto", "json", "pretty"] = Field(
        "auto", description="auto: pretty on a terminal, JSON elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is logged."
    )
    otel: bool = Field(
        False, description="Trace requests with OpenTelemetry; needs tradeloom[otel]."
    )
    drain_s: float = Field(
        10.0, gt=0, le=300, description="Time in-flight requests get to finish at a stop."
    )

    @field_validator(
        *("replay", "symbols", "venues", "venue_urls", "cors_origins", "trusted_proxies"),
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("symbols")
    @classmethod
    def _upper(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(symbol.upper() for symbol in value)

    @field_validator("venue_urls")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            name, separator, url = each.partition("=")
            whole = each.startswith(("http://", "https://"))
            if not whole and not (separator and "." in name and "://" in url):
                raise ValueError(f"{each!r} is neither VENUE.NAME=URL nor a simulator's http://…")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in ("", "redis", "rediss", "unix"):
            raise ValueError("is not a redis:// address")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr) -> SecretStr:
        scheme = urlsplit(value.get_secret_value()).scheme
        if scheme not in ("", "postgresql", "postgres", "sqlite"):
            raise ValueError("is not a postgresql:// or sqlite:/// address")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before file."""
        named = os.environ.get(CONFIG_VARIABLE)
        path = Path(named or CONFIG_FILE)
        if named and not path.is_file():
            raise BadSettings(f"{CONFIG_VARIABLE} names {named}, which is not a file")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path))

    @property
    def database(self) -> str:
        """The address of the database, with its password: never log it."""
        given = self.database_url.get_secret_value()
        return given or f"sqlite:///{(self.data_dir / 'tradeloom.db').absolute()}"


def load(**flags: Any) -> Settings:
    """The settings, with the flags that are not None; raises `BadSettings`."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in each['loc']) or 'settings'}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        ]
        raise BadSettings("; ".join(lines)) from error
    except (OSError, ValueError) as error:
        raise BadSettings(str(error)) from error


def shown(settings: Settings) -> dict[str, tuple[str, str]]:
    """Name -> (value for people, description); passwords are left out."""
    rows = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == "database_url":
            text = without_password(settings.database)
        elif name == "redis_url":
            text = without_password(value.get_secret_value())
        elif isinstance(value, tuple):
            text = ", ".join(str(each) for each in value)
        else:
            text = str(value)
        rows[name] = (text, field.description or "")
    return rows


def without_password(url: str) -> str:
    """A database address that may be shown."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{place}"))
