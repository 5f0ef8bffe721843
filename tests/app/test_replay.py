"""`tradeloom up --replay`: a recording somebody brings is what the service quotes."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from tests.app.process import Service, service

START_MS = 1_700_000_000_000
BIDS = ("1.2345", "1.2350", "1.2340", "1.2355")


def _recording(folder: Path) -> Path:
    """Two seconds of a pair nobody recorded, eight quotes a second."""
    folder.mkdir()
    rows = [
        f"{START_MS + 125 * number},{bid},{Decimal(bid) + Decimal('0.0002')}"
        for number, bid in enumerate(BIDS * 4)
    ]
    path = folder / "NZDCAD_2023.csv"
    path.write_text("\n".join(["ts_ms,bid,ask", *rows]) + "\n")
    return path


def _differing(live: Service, token: str, wanted: int) -> dict[str, str]:
    """Bids seen over REST with their asks, until there are so many or time is up."""
    seen: dict[str, str] = {}
    end = time.monotonic() + 20
    with live.client(token) as api:
        while len(seen) < wanted and time.monotonic() < end:
            for each in api.get("/quotes").json():
                assert each["symbol"] == "NZDCAD"
                seen[each["bid"]] = each["ask"]
            time.sleep(0.02)
    return seen


def test_quotes_of_a_recording_arrive(tmp_path: Path) -> None:
    path = _recording(tmp_path / "recordings")
    with service(tmp_path / "data", "--replay", str(path)) as live:
        token = live.sign_up("rita")
        seen = _differing(live, token, len(BIDS))
        assert {Decimal(bid) for bid in seen} == {Decimal(bid) for bid in BIDS}
        for bid, ask in seen.items():
            assert Decimal(ask) - Decimal(bid) == Decimal("0.0002")
        with live.client(token) as api:
            assert api.get("/system/version").json()["simulated"] is False
        assert "recorded market" in live.log.read_text()
        assert "not real" not in live.log.read_text()
