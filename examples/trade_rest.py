"""Sign up, open a demo account, buy, look, close: over REST.

python examples/trade_rest.py http://127.0.0.1:8000 my-login
"""

import secrets
import sys

import httpx


def main(url: str, login: str) -> None:
    """One small trade."""
    password = secrets.token_urlsafe(16)
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as api:
        credentials = {"login": login, "password": password}
        api.post("/auth/sign-up", json=credentials).raise_for_status()
        tokens = api.post("/auth/sign-in", json=credentials).raise_for_status().json()
        api.headers["Authorization"] = f"Bearer {tokens['access_token']}"

        account = api.post("/accounts", json={}).raise_for_status().json()["id"]
        order = {"account": account, "instrument": "BTCUSDT", "side": "buy", "volume": "0.010"}
        # With a key it is safe to send it again when no answer came.
        placed = api.post("/orders", json=order, headers={"Idempotency-Key": "first"})
        filled = placed.raise_for_status().json()
        print("bought", filled["filled"], "at", filled["price"])

        for position in api.get("/positions", params={"account": account}).json():
            print(position["instrument"], position["volume"], "profit", position["profit"])
            path = f"/positions/{position['id']}/close"
            api.post(path, json={"account": account}).raise_for_status()
        print("balance", api.get(f"/accounts/{account}").json()["balance"])


if __name__ == "__main__":
    main(*sys.argv[1:3])
