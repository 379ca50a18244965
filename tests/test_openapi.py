"""The OpenAPI document: valid, complete, and true to what the application answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.web.guards import access_of
from app.web.openapi import operation_of
from tests.client import Program
from tests.observed import Observed, path_of, undeclared
from tests.site import Site
from tests.test_every_route import each


@pytest.fixture
async def document(program: Program) -> dict[str, Any]:
    answer = await program.get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    errors = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []


def test_every_json_route_is_in_it(site: Site, document: dict[str, Any]) -> None:
    for rule, method in each(site):
        view = site.app.view_functions[rule.endpoint]
        operation = operation_of(view)
        if operation is None:
            continue
        entry = document["paths"][path_of(rule.rule)][method.lower()]
        assert entry["summary"]
        assert ("requestBody" in entry) == (operation.body is not None or operation.upload)
        assert {parameter["name"] for parameter in entry["parameters"] if parameter["in"] == "path"} == rule.arguments
        access = access_of(view)
        assert access is not None
        assert bool(entry["security"]) == (access.kind != "public"), rule.rule
        for status, answer in entry["responses"].items():
            if int(status) >= 400:
                assert "application/problem+json" in answer["content"] or rule.rule.startswith("/oauth/"), rule.rule


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    used = set(re.findall(r"'#/components/schemas/([^']+)'", str(document)))
    assert used == used & schemas.keys()
    assert "Problem" in used


def test_scopes_and_roles_stand_in_it(document: dict[str, Any]) -> None:
    assert "scope documents:read" in document["paths"]["/api/v1/documents"]["get"]["description"]
    assert document["components"]["securitySchemes"].keys() >= {"bearer", "basic"}


def test_the_recorder_notices() -> None:
    observed = Observed()
    observed.bodies["get", "/api/unsecure", 200] = []
    observed.bodies["get", "/api/unsecure", 418] = []
    observed.bodies["post", "/api/unsecure", 200] = []
    document: dict[str, Any] = {"paths": {"/api/unsecure": {"get": {"responses": {"200": {}}}}}}
    assert undeclared(observed, document) == [
        "GET /api/unsecure answered 418",
        "POST /api/unsecure answered 200",
    ]
