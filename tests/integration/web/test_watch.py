"""Liveness, readiness, metrics, and the dashboard's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.storage.port import KeyRight
from service.web.schemas import Check
from tests.integration.web.conftest import House, OpenHouse


async def test_readiness_tells_what_is_missing(house: House) -> None:
    key = await house.key()
    client = await house.stranger()
    bearer = {"Authorization": f"Bearer {key}"}
    good = await client.get("/readyz", headers=bearer)
    assert (good.status_code, good.json()["ready"]) == (200, True)
    house.checks["model"] = Check(ok=False, message="model.bin is missing; run `callwarden models pull base`")
    bad = await client.get("/readyz", headers=bearer)
    assert bad.status_code == 503
    assert bad.json()["checks"]["model"]["message"].startswith("model.bin is missing")
    assert (await client.get("/healthz")).status_code == 200


async def test_what_is_not_required_is_told_and_calls_are_taken(house: House) -> None:
    key = await house.key()
    client = await house.stranger()
    house.checks["encoder"] = Check(ok=False, message="patterns and duties judge alone", required=False)
    answer = await client.get("/readyz", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"]["encoder"] == {
        "ok": False,
        "message": "patterns and duties judge alone",
        "required": False,
    }


async def test_a_plain_load_balancer_may_ask_and_is_told_which_check_fails_but_not_why(house: House) -> None:
    client = await house.stranger()
    assert (await client.get("/readyz")).status_code == 200
    house.checks["admission"] = Check(ok=False, message="recognition is busy with the 3 calls that are live")
    for headers in ({}, {"Cookie": "callwarden_session=no.session"}):
        answer = await client.get("/readyz", headers=headers)
        assert answer.status_code == 503
        assert answer.json()["checks"]["admission"] == {"ok": False, "message": "", "required": True}
        assert "3 calls" not in answer.text
    assert (await client.get("/readyz", headers={"X-API-Key": "cw_none"})).status_code == 401


async def test_metrics_take_a_key_and_name_ours(house: House) -> None:
    client = await house.stranger()
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {await house.key('metrics')}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    for name in (
        "calls_live",
        "late_drops_total",
        "backlog_seconds",
        "alert_latency_seconds_bucket",
        "hub_drops_total",
    ):
        assert f"callwarden_{name}" in answer.text


@pytest.mark.parametrize("rights", [("stream",), ("stream", "events")])
async def test_a_gateways_key_reads_no_metrics(house: House, rights: tuple[KeyRight, ...]) -> None:
    client = await house.stranger()
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {await house.key(*rights)}"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (403, "This key lacks the right 'metrics'.")


async def test_a_wrong_or_revoked_key_reads_nothing(house: House) -> None:
    client = await house.stranger()
    key = await house.key()
    wrong = key[:-4] + ("AAAA" if not key.endswith("AAAA") else "BBBB")
    assert (await client.get("/metrics", headers={"X-API-Key": wrong})).status_code == 401
    await house.parts.store.revoke_key(key.split("_")[1], (await house.parts.store.keys())[0].created_at)
    assert (await client.get("/metrics", headers={"X-API-Key": key})).status_code == 403


async def test_a_key_opens_no_route_for_people(house: House) -> None:
    client = await house.stranger()
    answer = await client.get("/api/v1/calls", headers={"Authorization": f"Bearer {await house.key()}"})
    assert answer.status_code == 401


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Callwarden</title>")
    (folder / "assets" / "app-1a2b.js").write_text("export {}")
    (folder.parent / "secret.txt").write_text("not for you")
    return folder


async def test_the_dashboards_files_are_cached_by_their_kind(open_house: OpenHouse, built: Path) -> None:
    client = await (await open_house(static=built)).stranger()
    page = await client.get("/")
    assert "Callwarden" in page.text
    assert page.headers["cache-control"] == "no-cache"
    asset = await client.get("/assets/app-1a2b.js")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith("text/javascript")


async def test_unknown_paths_are_pages_unless_they_belong_to_the_interface(open_house: OpenHouse, built: Path) -> None:
    client = await (await open_house(static=built)).stranger()
    assert "Callwarden" in (await client.get("/replay/call-1")).text
    for path in ("/api/v1/none", "/v1/none", "/assets/none.js"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "not for you" not in (await client.get("/..%2fsecret.txt")).text


async def test_without_a_build_the_page_says_what_to_do(house: House) -> None:
    answer = await (await house.stranger()).get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
