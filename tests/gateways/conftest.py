"""One running service for all tests of the gateways in a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.process import Service, service


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with the generated market."""
    data = tmp_path_factory.mktemp("live") / "data"
    with service(data, TRADELOOM_SIGNUP="true") as made:
        yield made


@pytest.fixture(scope="session")
def anna(live: Service) -> str:
    """A trader's token."""
    return live.sign_up("anna")


@pytest.fixture(scope="session")
def bob(live: Service) -> str:
    """Another trader's token."""
    return live.sign_up("bob")


@pytest.fixture(scope="session")
def annas(live: Service, anna: str) -> int:
    """A demo account of Anna's."""
    return live.account(anna)


@pytest.fixture(scope="session")
def bobs(live: Service, bob: str) -> int:
    """A demo account of Bob's."""
    return live.account(bob)
