"""The page of `npc reach --html` as a reader has it: what it shows, by mouse and keyboard, and never runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from npc.compiler.frontend.files import sources
from npc.compiler.frontend.source import Source
from npc.reach.listing import as_json
from npc.reach.page import as_html
from npc.reach.report import Report
from npc.reach.reporting import reach_sources
from tests.browser.chromium import Page

pytestmark = pytest.mark.browser

SHOP = Path(__file__).parents[2] / "examples" / "shop"

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>{{data}}"
"""What somebody may write into a comment of a policy, or call a rule."""

HOSTILE_INPUT = f"""
policy web in shop for pods(app=web) {{
  # {HOSTILE}
  allow tcp/80 from pods(app=web)
}}
"""

HOSTS = """
endpoints:
  - {name: web-1, namespace: shop, addresses: [10.0.0.1], labels: {app: web}}
  - {name: web-2, namespace: shop, addresses: [10.0.0.2], labels: {app: web}}
"""


def reported(*found: Source) -> Report:
    return reach_sources(found)[0]


@pytest.fixture(scope="module")
def shop() -> Report:
    return reported(*sources([str(SHOP)], lambda: b"")[0])


def opened(browser: Page, report: Report, folder: Path, *, dark: bool = False) -> None:
    path = folder / "reach.html"
    path.write_text(as_html(report), encoding="utf-8")
    browser.open(path.as_uri(), dark=dark)


def cell(browser: Page, source: str, destination: str) -> str:
    """The selector of a cell of the matrix."""
    found = browser.evaluate(
        "(() => { const at = (list, wanted) => list.findIndex(n => name(n) === wanted);"
        f" const row = at(sources, {json.dumps(source)});"
        f" const column = at(destinations, {json.dumps(destination)});"
        " return `#cell-${row}-${column}`; })()"
    )
    return str(found)


def test_every_cell_shows_what_the_json_says(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    expected: dict[tuple[str, str], set[str]] = {}
    alone = {one["name"] for one in json.loads(as_json(shop))["workloads"] if len(one["pods"]) == 1}
    for one in json.loads(as_json(shop))["connections"]:
        for source in one["from"].get("workloads", ["outside"]):
            for destination in one["to"].get("workloads", ["outside"]):
                if source != destination or source not in alone:
                    expected.setdefault((source, destination), set()).update(one["traffic"])
    names = [one["name"] for one in json.loads(as_json(shop))["workloads"]] + ["outside"]
    shown = {}
    for source in names:
        for destination in names:
            title = browser.evaluate(
                f"document.querySelector({json.dumps(cell(browser, source, destination))}).title"
            )
            said = str(title).partition(": ")[2]
            if said != "nothing":
                shown[source, destination] = set(said.split(", "))
    assert shown == expected


def test_a_click_explains_with_the_source(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.click(cell(browser, "shop/deploy/web", "shop/deploy/api"))
    details = browser.text("#details")
    assert "This passes:\n\ntcp/8080" in details
    assert "NetworkPolicy shop/web, egress rule 1" in details
    assert "NetworkPolicy shop/api, ingress rule 1" in details
    assert "policies/api.yaml:15" in details
    assert details.count("denied all but tcp/8080\n") == 2
    hits = browser.texts("#details .hit")
    assert any("from:" in one or "to:" in one for one in hits)


def test_what_is_denied_names_the_policies_that_isolate(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.click(cell(browser, "shop/deploy/web", "shop/sts/db"))
    details = browser.text("#details")
    assert "Nothing passes." in details
    assert "isolated by these policies, and none of their rules matches:" in details
    assert "shop/default-deny" in details


def test_what_is_denied_names_the_rule_that_comes_closest(
    browser: Page, shop: Report, tmp_path: Path
) -> None:
    opened(browser, shop, tmp_path)
    browser.click(cell(browser, "shop/deploy/web", "shop/sts/db"))
    text = browser.text("#details")
    assert "closest, but it misses: pods(app=api); shop/web-6c8f7d9b54-2hx8r has app=web" in text
    assert "NetworkPolicy shop/db, ingress rule 1" in text


def test_the_keyboard_reaches_every_cell(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.evaluate("document.querySelector('#grid').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
        browser.press(key, "\r" if key == "Enter" else "")
    assert browser.text("#details h2") == "shop/deploy/api → shop/sts/db"
    assert "tcp/5432" in browser.text("#details")
    browser.evaluate("document.querySelector('#tab-matrix').focus()")
    browser.press("ArrowRight")
    assert browser.evaluate("document.activeElement.id") == "tab-graph"
    assert browser.evaluate("document.querySelector('#matrix').hidden")


def test_search_narrows_rows_columns_and_ports(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.type("#from", "shop/ web")
    browser.type("#to", "dns")
    assert browser.texts("#rows .row") == ["shop/deploy/web"]
    assert browser.texts("#columns .column") == ["kube-system/deploy/coredns"]
    browser.type("#port", "udp/53")
    assert browser.texts(".cell.faded") == []
    browser.evaluate("document.querySelector('#port').value = ''")
    browser.type("#port", "udp/54")
    assert browser.texts(".cell.faded") == ["tcp/53, udp/53"]


def test_the_graph_shows_the_connections_of_a_workload(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.click("#tab-graph")
    assert len(browser.texts("svg .node")) == 6
    edges = browser.evaluate("document.querySelectorAll('svg .edge').length")
    assert edges == 17
    browser.evaluate("document.querySelector('[aria-label=\"shop/sts/db\"]').focus()")
    browser.press("Enter", "\r")
    assert browser.text("#details h2") == "shop/sts/db"
    assert browser.evaluate("document.querySelectorAll('svg .edge.in').length") == 2
    assert browser.evaluate("document.querySelectorAll('svg .edge.out').length") == 1


def test_exposure_is_listed(browser: Page, shop: Report, tmp_path: Path) -> None:
    opened(browser, shop, tmp_path)
    browser.click("#tab-exposure")
    text = browser.text("#exposure")
    assert "pods(app=api) in ns/shop" in text
    assert "tcp/5432" in text


def test_what_policies_are_called_is_never_run(browser: Page, tmp_path: Path) -> None:
    report = reported(
        Source("<b>x.npc", content=HOSTILE_INPUT.encode()), Source("hosts.yaml", content=HOSTS.encode())
    )
    opened(browser, report, tmp_path)
    browser.click("#cell-0-0")
    assert any(HOSTILE in one for one in browser.texts("#details pre span"))
    assert "<b>x.npc" in browser.text("#details")
    assert browser.evaluate("window.hacked") is None
    assert browser.texts("#details img, #details b") == []


@pytest.mark.parametrize("dark", [False, True])
def test_it_loads_nothing_and_nothing_fails(browser: Page, shop: Report, tmp_path: Path, dark: bool) -> None:
    opened(browser, shop, tmp_path, dark=dark)
    browser.click("#cell-0-1")
    for tab in ("graph", "exposure", "matrix"):
        browser.click(f"#tab-{tab}")
    assert browser.errors == []
    assert browser.requests == [(tmp_path / "reach.html").as_uri()]
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
