"""The REST gateway: `/api/v1` on FastAPI, hot routes as plain functions with msgspec."""
