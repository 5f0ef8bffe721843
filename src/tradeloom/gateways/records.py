"""What is read from the store: history that the engine no longer holds."""

from __future__ import annotations

from starlette.responses import Response

from tradeloom.engine.names import Names
from tradeloom.gateways.desk import Reply
from tradeloom.store import Database, ProjectionWriter


class Records:
    """Reads of one shard's stored history."""

    def __init__(self, database: Database, names: Names, writer: ProjectionWriter) -> None:
        self.database = database
        self.names = names
        self.writer = writer

    async def order_again(self, made: Reply, account: int) -> Response:
        """The first answer to an order again."""
        raise NotImplementedError
