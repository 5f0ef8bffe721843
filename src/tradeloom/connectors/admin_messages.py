"""What a connector is and how it is, as messages of proto/tradeloom/venue/v1, and back."""

from __future__ import annotations

from tradeloom.connectors import contract as c
from tradeloom.connectors.messages import number
from tradeloom.connectors.proto import venue_pb2 as pb
from tradeloom.domain import market as m


def info_out(info: c.VenueInfo) -> pb.Info:
    """What a connector is, as a message."""
    return pb.Info(
        venue=info.venue,
        title=info.title,
        profile_date=info.profile_date,
        account=info.account,
        trades=info.trades,
        topics=[number(topic) for topic in info.topics],
        features=info.features,
        urls=info.urls,
    )


def info_in(message: pb.Info) -> c.VenueInfo:
    """What a connector is, of a message."""
    return c.VenueInfo(
        venue=message.venue,
        title=message.title,
        profile_date=message.profile_date,
        account=message.account,
        trades=message.trades,
        topics=tuple(m.Topic(topic) for topic in message.topics),
        features=tuple(message.features),
        urls=dict(message.urls),
    )


def health_out(health: c.Health) -> pb.Health:
    """How a connector is, as a message."""
    return pb.Health(
        venue=health.venue,
        state=health.state.value,
        reason=health.reason,
        links=[
            pb.Link(
                name=link.name,
                up=link.up,
                connects=link.connects,
                frames=link.frames,
                bytes=link.bytes,
                silent_s=link.silent_s,
                error=link.error,
            )
            for link in health.links
        ],
        stale=health.stale,
        clock_offset_ms=health.clock_offset_ms,
        round_trip_ms=health.round_trip_ms,
        unresolved=health.unresolved,
        counters=health.counters,
    )


def health_in(message: pb.Health) -> c.Health:
    """How a connector is, of a message."""
    has = message.HasField
    return c.Health(
        venue=message.venue,
        state=c.State(message.state),
        reason=message.reason,
        links=tuple(
            c.LinkHealth(
                name=link.name,
                up=link.up,
                connects=link.connects,
                frames=link.frames,
                bytes=link.bytes,
                silent_s=link.silent_s,
                error=link.error,
            )
            for link in message.links
        ),
        stale=dict(message.stale),
        clock_offset_ms=message.clock_offset_ms if has("clock_offset_ms") else None,
        round_trip_ms=message.round_trip_ms if has("round_trip_ms") else None,
        unresolved=message.unresolved,
        counters=dict(message.counters),
    )


def limit_out(limit: c.RateLimit) -> pb.Limit:
    """A budget as a message."""
    return pb.Limit(
        name=limit.name,
        limit=limit.limit,
        per_s=limit.per_s,
        used=limit.used,
        blocked_s=limit.blocked_s,
    )


def limit_in(message: pb.Limit) -> c.RateLimit:
    """The budget of a message."""
    return c.RateLimit(
        name=message.name,
        limit=message.limit,
        per_s=message.per_s,
        used=message.used,
        blocked_s=message.blocked_s,
    )
