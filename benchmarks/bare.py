"""The baseline of the order route: a FastAPI POST of the same shape that does nothing."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field


class OrderIn(BaseModel):
    """The body of an order."""

    account: Annotated[int, Field(ge=1)]
    instrument: Annotated[str, Field(min_length=1, max_length=32)]
    side: Literal["buy", "sell"]
    volume: str
    type: Literal["market", "limit", "stop", "stop_limit"] = "market"
    price: str | None = None


class OrderOut(BaseModel):
    """An answer of the same length."""

    order: int
    account: int
    code: int
    name: str
    state: str
    volume: str
    filled: str
    price: str | None
    position: int | None
    repeat: bool
    time: str
    seq: int


app = FastAPI()


def bearer(authorization: Annotated[str, Header()]) -> str:
    """The token of a request."""
    kind, _, token = authorization.partition(" ")
    if kind != "Bearer" or not token:
        raise HTTPException(401)
    return token


@app.post("/api/v1/orders", status_code=201)
async def place(body: OrderIn, token: Annotated[str, Depends(bearer)]) -> OrderOut:
    """Answer as if an order had been placed."""
    return OrderOut(
        order=1,
        account=body.account,
        code=0,
        name="OK",
        state="filled",
        volume=body.volume,
        filled=body.volume,
        price="1.38698",
        position=2,
        repeat=False,
        time="2026-11-21T01:33:24.755462076Z",
        seq=103,
    )


if __name__ == "__main__":
    uvicorn.run(
        app, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_config=None,
        access_log=False, lifespan="off",
    )  # fmt: skip
