"""The description of the API is true: requests made from it find no answer it does not tell of."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.app.process import Service


def test_every_operation_is_described(live: Service) -> None:
    text = httpx.get(f"{live.api}/openapi.json", trust_env=False).json()
    operations = [
        (path, method, each)
        for path, methods in text["paths"].items()
        for method, each in methods.items()
    ]
    assert len(operations) > 60
    names = [each["operationId"] for _, _, each in operations]
    assert len(set(names)) == len(names)
    for path, method, each in operations:
        assert each.get("summary"), (path, method)
        assert each.get("tags"), (path, method)
        assert any(status.startswith("2") for status in each["responses"]), (path, method)
        assert "HTTPValidationError" not in str(each)


def _skipped(path: str) -> bool:
    # Ends the very session these requests are made with, or stops everybody else's trading.
    return path in ("/api/v1/me/sign-out", "/api/v1/kill-switch", "/api/v1/trading-states")


@pytest.fixture(scope="module")
def described(live: Service) -> Any:
    text = httpx.get(f"{live.api}/openapi.json", trust_env=False).json()
    schema = schemathesis.openapi.from_dict(text)
    schema.config.update(base_url=live.url)
    return schema


def test_requests_made_from_it_find_nothing(live: Service, described: Any) -> None:
    token = live.staff("robot", "manager")
    found = []
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if _skipped(operation.path):
            continue
        found += _probe(operation, token)
    assert not found, "\n\n".join(found[:5])


def _probe(operation: Any, token: str) -> list[str]:
    problems: list[str] = []

    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def probe(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {token}"})
        try:
            # A value may have the right form and still be refused: a weak password, a wrong step.
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        except BaseExceptionGroup as group:
            told = "; ".join(str(error) for error in group.exceptions)
            problems.append(f"{operation.method} {operation.path}: {told}"[:800])

    probe()
    return problems
