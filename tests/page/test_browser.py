"""The page in a real browser: it draws, it explains a point, it loads nothing, and it fits dark pages and phones."""

import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from tests.page.made_run import NAMES, made_map, make_run
from vaeclust_jax.page.page import write_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
if BROWSER is None or DRIVER is None:
    pytest.skip("there is no Chromium with its chromedriver here", allow_module_level=True)

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,1000"),
)
CLASSES = ("<script>alert(1)</script>", "$$x^2$$", "<b>&lt;</b> @{row}", *NAMES[3:])
FILE = 'a"b<img src=x onerror=alert(2)>.png'
POINTS = made_map(class_names=np.array(CLASSES), file=np.full(1797, FILE)).take(np.arange(0, 1797, 4))

# All views of figures, one a tab.
FIGURES = """
const figures = [];
const walk = view => {
  if (view.model.type === "Figure") figures.push(view);
  for (const child of view.child_views ?? []) walk(child);
};
for (const view of Bokeh.index) walk(view);
const figure = figures[arguments[0]];
"""
IS_OPEN = FIGURES + "return figure.el.getBoundingClientRect().width > 100"
# Where in the window a point is.
PLACE = f"""{FIGURES}
const box = figure.canvas_view.el.getBoundingClientRect(), source = figure.model.renderers[0].data_source;
return [box.left + figure.frame.x_scale.compute(source.get("x")[arguments[1]]),
        box.top + figure.frame.y_scale.compute(source.get("y")[arguments[1]])];
"""
# What is written beside each image within Bokeh's shadow DOM, its sizes, and how many elements there are that run.
TOOLTIPS = """
const found = [];
const walk = root => {
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) walk(element.shadowRoot);
    if (root !== document && element.matches("img[src^='data:']")) {
      const whole = element.parentElement;
      found.push([whole.innerText, element.naturalWidth, element.getBoundingClientRect().width,
                  getComputedStyle(element).imageRendering, whole.querySelectorAll("img, script, b b").length]);
    }
  }
};
walk(document);
return found;
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(make_run(tmp_path_factory.mktemp("browser") / "run", latent_map=POINTS))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not in {seconds} s")


def show(browser: Chrome, page: Path, *, tab: int = 0, width: int = 1200, scheme: str = "light") -> None:
    """Bring the map into view; the page is loaded where it was not, or at another width."""
    screen = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}  # no scrolling while we aim
    features = [{"name": name, "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    shown_before = browser.execute_script("const before = window.shown; window.shown = innerWidth; return before")
    if browser.current_url.split("#")[0] != page.as_uri() or shown_before != width:
        browser.get("about:blank")
        browser.get(page.as_uri())
        idle = "return typeof Bokeh !== 'undefined' && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
        wait_for(lambda: browser.execute_script(idle), "drawing")
        browser.execute_script("window.shown = innerWidth")
    browser.execute_script("[...Bokeh.index][0].model.active = arguments[0]", tab)
    wait_for(lambda: browser.execute_script(IS_OPEN, tab), "opening a tab")
    browser.execute_script("document.querySelector('.map').scrollIntoView({behavior: 'instant'})")


def move_to(browser: Chrome, tab: int, index: int) -> ActionChains:
    x, y = browser.execute_script(PLACE, tab, index)
    actions = ActionChains(browser, duration=0)
    for step in (5, 0):
        actions.w3c_actions.pointer_action.move_to_location(round(x) - step, round(y))
    return actions


def loneliest(members: np.ndarray) -> int:
    """The one of some points that is furthest from all others: under the mouse is this one alone."""
    distance = np.abs(POINTS.points[members, np.newaxis] - POINTS.points).max(axis=2)
    distance[np.arange(len(members)), members] = np.inf
    return int(members[distance.min(axis=1).argmax()])


def screenshot(browser: Chrome) -> np.ndarray:
    time.sleep(0.2)  # a frame is painted
    return np.asarray(Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB"))


def errors(browser: Chrome) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def requests(browser: Chrome, page: Path) -> list[str]:
    """What the page asked for; the browser's own pages are left out."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
    return [params["request"]["url"] for params in sent if params["documentURL"] == page.as_uri()]


@pytest.mark.long
def test_it_draws_every_tab_without_an_error_or_a_request(browser: Chrome, page: Path) -> None:
    pictures = []
    for tab in range(6):
        show(browser, page, tab=tab)
        pictures.append(screenshot(browser))
        assert pictures[-1].std() > 10
    assert all((first != second).mean() > 0.001 for first, second in pairwise(pictures))
    assert errors(browser) == []
    urls = requests(browser, page)
    assert page.as_uri() in urls
    assert {url.split(":")[0] for url in urls} <= {"file", "data", "blob"}


@pytest.mark.parametrize("tab", [0, 2])
def test_a_point_under_the_mouse_shows_its_image_and_what_is_known(browser: Chrome, page: Path, tab: int) -> None:
    show(browser, page, tab=tab)
    index = loneliest(np.arange(len(POINTS.row)))
    move_to(browser, tab, index).perform()
    ((text, *image),) = wait_for(lambda: browser.execute_script(TOOLTIPS), "a tooltip")
    assert image == [16, 96, "pixelated", 1]
    file, *facts = (line.strip() for line in text.splitlines())
    assert file == FILE
    assert dict(zip(facts[::2], facts[1::2], strict=True)) == {
        "row": str(POINTS.row[index]),
        "cluster": str(POINTS.cluster[index]),
        "probability": f"{POINTS.probability[index]:.3f}",
        "entropy": f"{POINTS.entropy[index]:.3g} nats",
        "latent variance": f"{POINTS.latent_variance[index]:.3g}",
        "mutual information": f"{POINTS.mutual_information[index]:.3g} nats",
        "class": CLASSES[POINTS.y[index]],
        "correct": "yes" if POINTS.correct[index] else "no",
    }
    assert errors(browser) == []


def test_class_names_are_text_in_tooltips(browser: Chrome, page: Path) -> None:
    show(browser, page)
    for number in range(3):
        move_to(browser, 0, loneliest(np.flatnonzero(POINTS.y == number))).perform()
        wanted = f"class\n{CLASSES[number]}\n"

        def said(wanted: str = wanted) -> bool:
            return any(wanted in text for text, *_ in browser.execute_script(TOOLTIPS))

        wait_for(said, wanted)
    assert errors(browser) == []


def test_a_tap_leads_to_the_members_of_the_cluster(browser: Chrome, page: Path) -> None:
    index = loneliest(np.arange(len(POINTS.row)))
    name = f"cluster-{POINTS.cluster[index]}"
    for _ in range(2):  # it does so the second time, too
        show(browser, page)
        move_to(browser, 0, index).click().perform()
        wait_for(lambda: browser.current_url == f"{page.as_uri()}#{name}", "the jump")
        target = "const one = document.querySelector(':target'); return [one.id, getComputedStyle(one).boxShadow]"
        found, shadow = browser.execute_script(target)
        assert found == name
        assert shadow != "none"
        browser.execute_script("location.hash = ''")
        time.sleep(0.5)  # two clicks at once are a double click
    assert errors(browser) == []


def test_a_click_on_the_legend_hides_a_cluster(browser: Chrome, page: Path) -> None:
    show(browser, page)
    place = FIGURES + (
        "const legend = figure.views.find_one(figure.model.below.find(one => one.type === 'Legend'));"
        "const box = legend.el.getBoundingClientRect(); return [box.left + 12, box.top + box.height / 4]"
    )
    x, y = browser.execute_script(place, 0)
    actions = ActionChains(browser, duration=0)
    actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    actions.click().perform()
    visible = FIGURES + "return figure.model.renderers.map(one => one.visible)"
    wait_for(lambda: browser.execute_script(visible, 0) == [False, *[True] * 9], "hiding")


def test_dark_pages_are_dark(browser: Chrome, page: Path) -> None:
    show(browser, page)
    assert np.median(screenshot(browser)) > 240
    show(browser, page, scheme="dark")
    dark = screenshot(browser)
    assert np.median(dark) < 40
    assert dark.std() > 10
    assert errors(browser) == []


def test_the_policy_of_the_page_refuses_the_network(browser: Chrome, page: Path) -> None:
    show(browser, page)
    browser.execute_script("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/a.png'}))")
    wait_for(lambda: any("Content Security Policy" in message for message in errors(browser)), "a refusal")


def test_a_phone_needs_no_sideways_scrolling(browser: Chrome, page: Path) -> None:
    show(browser, page, width=390)
    sizes = "return [document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"
    assert browser.execute_script(sizes) == [390, 390, 390]
    wide = "return [...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)"
    assert browser.execute_script(wide)  # a table scrolls in its own box
    move_to(browser, 0, loneliest(np.arange(len(POINTS.row)))).perform()
    wait_for(lambda: browser.execute_script(TOOLTIPS), "a tooltip")
    assert browser.execute_script(sizes) == [390, 390, 390]
    assert errors(browser) == []
