"""Binance: spot (`BinanceSpot`) and USD-M futures (`BinanceUsdm`)."""
