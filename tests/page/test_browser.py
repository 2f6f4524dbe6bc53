"""The page in a real browser: it draws, it explains a point, it loads nothing, and it fits dark pages and phones."""

import csv
import io
import json
import shutil
import subprocess
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
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from tests.page.made_run import NAMES, made_map, make_run
from vaeclust_jax.data.dataset import Dataset
from vaeclust_jax.data.hints import read_hints
from vaeclust_jax.page.page import write_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
AXE = "axe-core@4.10.3"
if BROWSER is None or DRIVER is None:
    pytest.skip("there is no Chromium with its chromedriver here", allow_module_level=True)

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,1000"),
)
CLASSES = ("<script>alert(1)</script>", "$$x^2$$", "<b>&lt;</b> @{row}", *NAMES[3:])
VIEWS = ("cluster", "class", "correctness", "probability", "entropy", "latent variance", "mutual information")
NAME = '=SUM(1), <b>"two"</b>'
FILE = 'a"b<img src=x onerror=alert(2)>.png'
POINTS = made_map(class_names=np.array(CLASSES), file=np.full(1797, FILE)).take(np.arange(0, 1797, 4))

CLUSTERS = [
    {
        **{"cluster": k, "samples": 9, "probability": 0.5, "stability": 0.4 + 0.05 * k, "class": "one", "purity": 0.7},
        **{"doubts": ["other seeds do not find it again"] if k == 4 else [], "nearest": 0, "nearest_probability": 0.2},
    }
    for k in range(10)
]
VERDICT = {
    "how good": ["It is no better than k-means."],
    "found": ["10 clusters."],
    "how sure": ["All agree.", "Really."],
}
# Where in the window points are.
PLACES = """
const view = Bokeh.index.find_one_by_id(Bokeh.documents[0].get_model_by_name("map").id);
const box = view.canvas_view.el.getBoundingClientRect();
const source = Bokeh.documents[0].get_model_by_name("points");
return arguments[0].map(index => [box.left + view.frame.x_scale.compute(source.get("x")[index]),
                                  box.top + view.frame.y_scale.compute(source.get("y")[index])]);
"""
MODEL = "const model = name => Bokeh.documents[0].get_model_by_name(name); return "
EMPTY = "return document.URL === 'about:blank' && document.readyState === 'complete'"
CHOSEN = f"{MODEL} [...model('points').selected.indices]"
COLOURS = f"{MODEL} [...model('points').get('colour')]"
LABELS = f"{MODEL} [...model('labels').get('text')]"
SHOWN = f"{MODEL} [...model('shown').indices]"
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
    folder = tmp_path_factory.mktemp("browser") / "run"
    said = {"clusters": CLUSTERS, "verdict": VERDICT}
    return write_page(make_run(folder, latent_map=POINTS, figures=True, assignments=True, **said))


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, downloads: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    driver = Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library of accessibility rules, by npm, whose own cache keeps it."""
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    command = [str(npm), "pack", AXE, "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=20000"]
    if npm is None or subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip(f"{AXE} cannot be had from npm here")
    shutil.unpack_archive(next(folder.glob("*.tgz")), folder)
    return (folder / "package/axe.min.js").read_text(encoding="utf-8")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not in {seconds} s")


def show(browser: Chrome, page: Path, *, width: int = 1280, height: int = 1000, scheme: str = "light") -> None:
    """Load the page, as somebody who has never seen it, and bring its map into view."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}  # no scrolling while we aim
    features = [{"name": name, "value": value} for name, value in media.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get("about:blank")  # chromedriver does not wait for it, and Chromium forgets what it is told meanwhile
    wait_for(lambda: browser.execute_script(EMPTY), "an empty page")
    browser.get(page.as_uri())
    if browser.execute_script("return localStorage.length"):
        browser.execute_script("localStorage.clear()")
        browser.refresh()
    wait_until_drawn(browser)


def wait_until_drawn(browser: Chrome) -> None:
    drawn = "return document.documentElement.matches('.ready') && Bokeh.documents[0].is_idle"
    wait_for(lambda: browser.execute_script(drawn), "drawing")


def move_to(browser: Chrome, index: int) -> ActionChains:
    ((x, y),) = browser.execute_script(PLACES, [index])
    actions = ActionChains(browser, duration=0)
    for step in (5, 0):
        actions.w3c_actions.pointer_action.move_to_location(round(x) - step, round(y))
    return actions


def find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def choose_view(browser: Chrome, title: str) -> None:
    find(browser, f".views input[value='{VIEWS.index(title)}'] + span").click()


def change(browser: Chrome) -> None:
    """Name cluster 2, merge 5 into it, and mark 7, as a person does."""
    find(browser, "#cluster-2 .rename").send_keys(NAME, Keys.ENTER)
    Select(find(browser, "#cluster-5 .merge")).select_by_value("2")
    find(browser, "#cluster-7 .mark").click()


def saved(path: Path) -> str:
    """What the page has saved, which is then taken away."""
    wait_for(path.exists, path.name)
    text = path.read_text(encoding="utf-8")
    path.unlink()
    return text


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
def test_it_draws_every_view_without_an_error_or_a_request(browser: Chrome, page: Path) -> None:
    browser.get_log("performance")
    show(browser, page)
    pictures = []
    for title in VIEWS:
        choose_view(browser, title)
        pictures.append(screenshot(browser))
        assert pictures[-1].std() > 10
    assert all((first != second).mean() > 0.001 for first, second in pairwise(pictures))
    assert errors(browser) == []
    urls = requests(browser, page)
    assert page.as_uri() in urls
    assert {url.split(":")[0] for url in urls} <= {"file", "data", "blob"}


@pytest.mark.parametrize("title", ["cluster", "entropy"])
def test_a_point_under_the_mouse_shows_its_image_and_what_is_known(browser: Chrome, page: Path, title: str) -> None:
    show(browser, page)
    choose_view(browser, title)
    index = loneliest(np.arange(len(POINTS.row)))
    move_to(browser, index).perform()
    ((text, *image),) = wait_for(lambda: browser.execute_script(TOOLTIPS), "a tooltip")
    assert image == [16, 96, "pixelated", 1]
    file, *facts = (line.strip() for line in text.splitlines())
    assert file == FILE
    assert dict(zip(facts[::2], facts[1::2], strict=True)) == {
        "row": str(POINTS.row[index]),
        "cluster": str(POINTS.cluster[index]),
        "probability": f"{POINTS.probability[index]:.3g}",
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
        move_to(browser, loneliest(np.flatnonzero(POINTS.y == number))).perform()
        wanted = f"class\n{CLASSES[number]}\n"

        def said(wanted: str = wanted) -> bool:
            return any(wanted in text for text, *_ in browser.execute_script(TOOLTIPS))

        wait_for(said, wanted)
    assert errors(browser) == []


def test_a_tap_leads_to_the_card_of_the_cluster(browser: Chrome, page: Path) -> None:
    index = loneliest(np.arange(len(POINTS.row)))
    name = f"cluster-{POINTS.cluster[index]}"
    show(browser, page)
    find(browser, "#clusters summary").click()  # folded, it opens
    move_to(browser, index).click().perform()
    wait_for(lambda: browser.current_url == f"{page.as_uri()}#{name}", "the jump")
    target = "const one = document.querySelector(':target'); return [one.id, getComputedStyle(one).boxShadow]"
    found, shadow = browser.execute_script(target)
    assert found == name
    assert shadow != "none"
    wait_for(lambda: find(browser, f"#{name} h3").is_displayed(), "the card")
    assert errors(browser) == []


def test_a_click_on_the_legend_hides_a_cluster(browser: Chrome, page: Path) -> None:
    show(browser, page)
    button = find(browser, ".legend[data-view='0'] [data-entry='3']")
    button.click()
    assert browser.execute_script(SHOWN) == np.flatnonzero(POINTS.cluster != 3).tolist()
    assert button.get_attribute("aria-pressed") == "false"
    choose_view(browser, "class")
    assert len(browser.execute_script(SHOWN)) == len(POINTS.row)
    find(browser, ".legend[data-view='1'] [data-entry='0']").click()
    assert browser.execute_script(SHOWN) == np.flatnonzero(POINTS.y != 0).tolist()


def test_a_lasso_chooses_what_it_surrounds_and_saves_it(browser: Chrome, page: Path, downloads: Path) -> None:
    show(browser, page)
    browser.execute_script(
        "const toolbar = Bokeh.documents[0].get_model_by_name('map').toolbar;"
        "toolbar.tools.find(one => one.type === 'LassoSelectTool').active = true"
    )
    places = np.array(browser.execute_script(PLACES, list(range(len(POINTS.row)))))
    centre = np.median(places, axis=0)
    corners = centre + 60 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    actions = ActionChains(browser, duration=20)
    pointer = actions.w3c_actions.pointer_action
    pointer.move_to_location(*map(round, corners[0])).pointer_down()
    for first, second in pairwise(corners):
        for share in np.linspace(0.1, 1, 10):
            pointer.move_to_location(*map(round, first + share * (second - first)))
    pointer.pointer_up()
    actions.perform()
    chosen = wait_for(lambda: browser.execute_script(CHOSEN), "a selection")
    inside = (np.abs(places - centre) < 57).all(axis=1), (np.abs(places - centre) < 63).all(axis=1)
    assert set(np.flatnonzero(inside[0])) <= set(chosen) <= set(np.flatnonzero(inside[1]))
    counts = np.bincount(POINTS.cluster[chosen])
    assert f"{len(chosen)} chosen: {counts.max()} in cluster {counts.argmax()}" in find(browser, "#chosen").text
    find(browser, "#save-chosen").click()
    rows = list(csv.DictReader(saved(downloads / "chosen.csv").splitlines()))
    assert [int(row["row"]) for row in rows] == sorted(POINTS.row[chosen].tolist())
    find(browser, "#clear").click()
    assert browser.execute_script(CHOSEN) == []
    assert find(browser, "#chosen").text == ""


def test_samples_are_found_by_row_and_by_file(browser: Chrome, page: Path) -> None:
    show(browser, page)
    field = find(browser, "#find")
    field.send_keys(str(POINTS.row[17]))
    assert browser.execute_script(CHOSEN) == [17]
    assert f"1 chosen: 1 in cluster {POINTS.cluster[17]}" in find(browser, "#chosen").text
    field.clear()
    field.send_keys("SRC=X")
    assert len(browser.execute_script(CHOSEN)) == len(POINTS.row)
    field.clear()
    field.send_keys("no such file")
    assert find(browser, "#chosen").text == "none found"


def test_points_can_be_made_larger(browser: Chrome, page: Path) -> None:
    show(browser, page)
    before = screenshot(browser)
    find(browser, "#size").send_keys(Keys.END)
    assert browser.execute_script(f"{MODEL} model('dots').glyph.size.value") == 20
    assert (screenshot(browser) != before).mean() > 0.01


def test_clusters_are_renamed_merged_and_marked_and_the_browser_remembers(browser: Chrome, page: Path) -> None:
    show(browser, page)
    before = browser.execute_script(COLOURS)
    change(browser)
    for _ in range(2):
        assert find(browser, "#cluster-2 h3 .name").text == f"{NAME} (cluster 2)"
        assert find(browser, "#cluster-5 .state").text == f"Merged into {NAME}."
        assert find(browser, "#cluster-7 .state").text == "Marked: do not trust."
        assert find(browser, ".legend[data-view='0'] [data-entry='5']").text == NAME
        names = [str(number) for number in range(10)]
        names[2] = names[5] = NAME
        assert browser.execute_script(LABELS) == names
        colours, of_two = browser.execute_script(COLOURS), before[int(np.flatnonzero(POINTS.cluster == 2)[0])]
        assert all(
            colour == (of_two if cluster == 5 else old)
            for colour, old, cluster in zip(colours, before, POINTS.cluster, strict=True)
        )
        offered = [
            one.get_attribute("value") for one in find(browser, "#cluster-2 .merge").find_elements("tag name", "option")
        ]
        assert offered == ["", "0", "1", "3", "4", "6", "7", "8", "9"]  # 5 into 2 and 2 into 5 would be a circle
        browser.refresh()
        wait_until_drawn(browser)
    find(browser, "#undo").click()
    assert browser.execute_script(COLOURS) == before
    assert find(browser, "#cluster-2 h3 .name").text == "Cluster 2"
    assert errors(browser) == []


def test_labels_of_all_samples_are_saved_under_their_new_names(browser: Chrome, page: Path, downloads: Path) -> None:
    show(browser, page)
    change(browser)
    whole = made_map()
    find(browser, "#save-csv").click()
    text = saved(downloads / "labels.csv")
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == ["row", "file", "cluster", "name", "probability", "trusted", "label"]
    assert [int(row["row"]) for row in rows] == whole.row.tolist()
    assert [row["file"] for row in rows] == whole.file.tolist()
    merged = np.where(whole.cluster == 5, 2, whole.cluster)
    assert [int(row["cluster"]) for row in rows] == merged.tolist()
    assert [row["name"] for row in rows] == [f"'{NAME}" if one == 2 else f"cluster {one}" for one in merged]
    np.testing.assert_allclose([float(row["probability"]) for row in rows], whole.probability, atol=5.1e-5)
    assert [row["trusted"] for row in rows] == ["no" if one == 7 else "yes" for one in merged]
    # Hints for `vaeclust run --hints`: of the two that were merged and named, the surer half of each.
    middle = {one: np.sort(whole.probability[whole.cluster == one].round(4)) for one in (2, 5)}
    middle = {one: values[len(values) // 2] for one, values in middle.items()}
    sure = whole.probability.round(4)
    hinted = [one in middle and sure[row] >= middle[one] for row, one in enumerate(whole.cluster)]
    assert any(hinted)
    assert [row["label"] for row in rows] == [f"'{NAME}" if one else "" for one in hinted]
    find(browser, "#save-json").click()
    record = json.loads(saved(downloads / "labels.json"))
    assert record["clusters"][5] == {"cluster": 5, "merged_into": 2, "name": NAME, "trusted": True}
    assert [one["name"] for one in record["samples"]] == [NAME if one == 2 else f"cluster {one}" for one in merged]
    assert errors(browser) == []


def test_names_of_a_table_s_rows_are_saved_as_sample_and_hints_are_read_by_them(
    browser: Chrome, tmp_path: Path, downloads: Path
) -> None:
    whole = made_map()
    made = make_run(tmp_path / "run", latent_map=POINTS, assignments=True, names_are="sample")
    show(browser, write_page(made))
    find(browser, "#cluster-2 .rename").send_keys("two", Keys.ENTER)
    find(browser, "#save-json").click()
    samples = json.loads(saved(downloads / "labels.json"))["samples"]
    assert [one["sample"] for one in samples] == whole.file.tolist()
    find(browser, "#save-csv").click()
    text = saved(downloads / "labels.csv")
    header, _, body = text.partition("\n")
    assert header == "row,sample,cluster,name,probability,trusted,label"
    data = Dataset(np.zeros((1797, 1)), None, "table", row_names=tuple(whole.file), names_are="sample")
    hints = tmp_path / "hints.csv"
    found = []
    # By number, by name, and by name as pages once called the column.
    for columns in (header, header.replace("row", "number"), header.replace("row,sample", "number,file")):
        hints.write_text(f"{columns}\n{body}", encoding="utf-8")
        found.append(np.asarray(read_hints(hints, data).partial_labels))
    assert set(whole.cluster[found[0] == 0]) == {2}
    np.testing.assert_array_equal(found, [found[0]] * 3)


def test_sections_fold_by_keyboard(browser: Chrome, page: Path) -> None:
    show(browser, page)
    summary = find(browser, "#settings summary")
    assert not find(browser, "#settings .list").is_displayed()
    browser.execute_script("arguments[0].focus()", summary)
    summary.send_keys(Keys.ENTER)
    assert find(browser, "#settings .list").is_displayed()
    summary.send_keys(Keys.SPACE)
    assert not find(browser, "#settings .list").is_displayed()
    find(browser, "nav a[href='#settings']").click()  # a link into what is folded opens it
    wait_for(lambda: find(browser, "#settings .list").is_displayed(), "opening")


def test_every_control_is_reached_by_keyboard(browser: Chrome, page: Path) -> None:
    show(browser, page)
    radio = find(browser, ".views input")
    radio.send_keys(Keys.ARROW_RIGHT)
    assert find(browser, ".legend[data-view='1']").is_displayed()
    assert not find(browser, ".legend[data-view='0']").is_displayed()
    for selector in (
        ".legend[data-view='1'] button",
        "#find",
        "#size",
        "#save-csv",
        "#cluster-0 .rename",
        "#cluster-0 .merge",
    ):
        element = find(browser, selector)
        browser.execute_script("arguments[0].focus({focusVisible: true})", element)
        assert browser.switch_to.active_element == element
        assert element.value_of_css_property("outline-style") != "none"
    names = (
        "return [...document.querySelectorAll('input, select, button')].filter(one => one.checkVisibility()"
        " && !one.labels?.length && !one.ariaLabel && !one.textContent.trim()).length"
    )
    assert browser.execute_script(names) == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_screen_shows_the_verdict_and_the_map(browser: Chrome, page: Path, width: int, height: int) -> None:
    show(browser, page, width=width, height=height)
    browser.execute_script("scrollTo(0, 0)")
    verdict, plot = (find(browser, selector).rect for selector in ("#verdict", ".plot"))
    assert verdict["y"] + verdict["height"] <= plot["y"]
    assert plot["y"] + 0.9 * plot["height"] <= height
    assert plot["height"] >= 270


def test_no_line_ends_within_a_flag(browser: Chrome, tmp_path: Path) -> None:
    verdict = {"how sure": [f"One seed{' cannot' * 3} say <b> which: add --seeds 5."]}
    show(browser, write_page(make_run(tmp_path / "run", latent_map=POINTS, verdict=verdict)))
    assert find(browser, ".verdict dd").text == verdict["how sure"][0]
    lines = "return document.querySelector('.verdict .flag').getClientRects().length"
    for width in range(150, 400, 10):  # of the sentence: whichever word stands at its end
        browser.execute_script(f"document.querySelector('.verdict dd').style.maxWidth = '{width}px'")
        assert browser.execute_script(lines) == 1


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Chrome, page: Path, axe: str, scheme: str) -> None:
    show(browser, page, scheme=scheme)
    browser.execute_script("for (const fold of document.querySelectorAll('details')) fold.open = true")
    browser.execute_script(axe)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = browser.execute_async_script("axe.run(document, arguments[0]).then(arguments[1])", rules)
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found["violations"]] == []
    assert "color-contrast" in [one["id"] for one in found["passes"]]


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
    move_to(browser, loneliest(np.arange(len(POINTS.row)))).perform()
    wait_for(lambda: browser.execute_script(TOOLTIPS), "a tooltip")
    assert browser.execute_script(sizes) == [390, 390, 390]
    assert errors(browser) == []
