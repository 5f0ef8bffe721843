"""OKX v5: spot (`OkxSpot`) and perpetual swaps (`OkxSwap`), one dialect."""
