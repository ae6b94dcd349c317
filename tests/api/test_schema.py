"""Schemathesis reads the OpenAPI document and tries what it allows and what it forbids on the running server."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.apart import apart
from tests.api.conftest import ACME

EXAMPLES = [2, pytest.param(8, marks=[pytest.mark.scale, pytest.mark.slow])]
"""Requests a route and mode: with two, some hundreds in all."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

BOUNDED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_every_answer_is_one_that_the_document_promises(
    settings_env: dict[str, str], tmp_path: Path, examples: int
) -> None:
    seen: dict[str, set[int]] = {}

    def attempt(case: schemathesis.Case) -> None:
        response = case.call(headers={"Authorization": f"Bearer {ACME}"})
        seen.setdefault(case.operation.label, set()).add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    with apart(settings_env, tmp_path / "server.log") as server:
        schema = schemathesis.openapi.from_url(f"{server.url}/schema/openapi.json")
        # No worker runs here, and that is what its 503 says.
        for found in schema.exclude(path="/workers/health").get_all_operations():
            assert isinstance(found, Ok), found
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                settings(BOUNDED, max_examples=examples)(
                    given(case=found.ok().as_strategy(generation_mode=mode))(attempt)
                )()
    print(seen)
    assert len(seen) > 12
    assert seen["POST /api/jobs/pdf-ocr"] >= {400}
