"""Open the dashboard in headless Chromium, as a reader does: `superset_look.py URL PASSWORD DASHBOARD FOLDER`.

Runs in the environment of Superset, which has playwright. It leaves in the folder: dashboard.png as it opens,
compared.png with three runs chosen, and explore.png of one chart, all to be looked at; and seen.json, which has the
query of every chart as the page sent it, what was answered, and every complaint on the pages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Superset draws what is in sight only: the window is as tall as the dashboard.
WINDOW = {"width": 1600, "height": 2100}
COMPARED = ("digits-baseline", "digits-reseeded", "digits-sparse")
EXPLORED = "Energy by layer"
PATIENCE_MS = 60_000
COMPLAINTS = (".ant-alert-error", ".ant-alert-warning", ".ant-empty", "[data-test='chart-container'] .ant-result")
LOADING = ".loading, [data-test='loading-indicator'], .ant-spin-spinning"


def look(url: str, password: str, dashboard: str, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport=WINDOW, color_scheme="light").new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(url) else route.abort())
        queries: list[dict[str, Any]] = []
        page.on("response", lambda response: keep_query(response, queries))
        log_in(page, url, password)
        page.goto(f"{url}/superset/dashboard/{dashboard}/")
        n_charts = wait_until_drawn(page)
        page.screenshot(path=folder / "dashboard.png")
        n_queries, said = len(queries), complaints(page)
        choose_runs(page, f"{url}/superset/dashboard/{dashboard}/", COMPARED)
        page.screenshot(path=folder / "compared.png")
        seen = {
            "n_charts": n_charts,
            "queries": queries[:n_queries],
            "compared": queries[n_queries:],
            "complaints": said + complaints(page),
        }
        page.set_viewport_size({"width": 1600, "height": 900})
        page.goto(str(page.get_by_role("link", name=EXPLORED, exact=True).evaluate("link => link.href")))
        wait_until_drawn(page)
        page.screenshot(path=folder / "explore.png")
        seen["complaints"] += complaints(page)
        (folder / "seen.json").write_text(json.dumps(seen, indent=1), encoding="utf-8")
        browser.close()


def log_in(page: Any, url: str, password: str) -> None:
    page.goto(f"{url}/login/")
    page.fill("input#username", "admin")
    page.fill("input#password", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login" not in address)


def keep_query(response: Any, queries: list[dict[str, Any]]) -> None:
    if response.request.method == "POST" and "/api/v1/chart/data" in response.url:
        body = json.loads(response.request.post_data)
        chart = body["form_data"].get("slice_id")
        if chart:
            queries.append({"chart": chart, "status": response.status, "body": body})


def choose_runs(page: Any, address: str, names: tuple[str, ...]) -> None:
    """Open the dashboard with run names chosen, by a link such as Superset hands out."""
    names_listed = ",".join(names)
    chosen = (
        f"extraFormData:(filters:!((col:run_name,op:IN,val:!({names_listed})))),filterState:(value:!({names_listed}))"
    )
    page.goto(f"{address}?native_filters=(NATIVE_FILTER-run-name:(id:NATIVE_FILTER-run-name,ownState:(),{chosen}))")
    wait_until_drawn(page)


def wait_until_drawn(page: Any) -> int:
    """Wait for the charts, and for their pictures to come to rest; return how many there are."""
    page.wait_for_selector("[data-test='chart-container'], .chart-container, .slice_container")
    page.wait_for_load_state("networkidle")
    page.wait_for_function(f"document.querySelectorAll({json.dumps(LOADING)}).length === 0")
    page.wait_for_timeout(2000)
    return int(page.locator(".dashboard-component-chart-holder").count())


def complaints(page: Any) -> list[str]:
    return [text for where in COMPLAINTS for text in page.locator(where).all_inner_texts()]


if __name__ == "__main__":
    look(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
