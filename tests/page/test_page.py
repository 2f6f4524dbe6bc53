"""The page as a reader of HTML finds it; `test_browser.py` looks at it in a browser."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from tests.folder.made_record import COMMON, GENERATED
from tests.page.made_run import K, found, made_map, made_tables, make_run
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.figure_list import FigureEntry, read_figure_list, write_figure_list
from vaeclust_jax.folder.run_folder import write_json
from vaeclust_jax.folder.run_record import read_run
from vaeclust_jax.folder.table import Table, write_tables
from vaeclust_jax.folder.typed_json import as_json
from vaeclust_jax.page.page import MAX_POINTS, write_page

HOSTILE = "<script>alert(1)</script>"
VOID = {"meta", "link", "img", "br", "input"}


class Reader(HTMLParser):
    """Elements with their attributes, and the texts between them by the element they are in."""

    def __init__(self, path: Path):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], " ".join(data.split())))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    def text(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in ("script", "style"))


def made(folder: Path, **options: Any) -> Reader:
    return Reader(write_page(make_run(folder / "run", **options)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_run(tmp_path_factory.mktemp("page") / "run", latent_map=made_map(), figures=True)
    write_page(folder)
    return folder


@pytest.fixture(scope="module")
def page(run: Path) -> Reader:
    return Reader(run / "report.html")


def test_it_says_what_was_run_and_how_it_scored(page: Reader) -> None:
    text = page.text()
    for words in (
        "vaedec on digits",
        "Method vaedec",
        "Clusters K = 10",
        "Data 1797 × 8 × 8 × 1",  # noqa: RUF001
        "Seeds 0, 1, 2",
        "ACC 0.842 ± 0.021",
        "silhouette 0.241 ± 0.021",
        "mean ± standard deviation over 3 seeds",
        "Warning seed 1: 9 of 10 clusters have members",
        "The assignments are overconfident: the calibration error is 0.074.",
        "Labels used for scoring alone",
        "Data from comes with scikit-learn",
        "image size 32, 32",
        "grey no",
        "learning rate 0.001",
        "kind dec",
        "stopping kind: Settled, tolerance: 0.001",
        "jax 0.10.2",
        "fit VAE + DEC 182.3 s",
        "together 199.5 s",
    ):
        assert words in text, words


def test_its_tables_hold_every_cell(page: Reader) -> None:
    cells = [text for tag, text in page.texts if tag in ("th", "td")]
    expected = [
        text for table in made_tables() for row in ([c.name for c in table.columns], *table.texts()) for text in row
    ]
    assert cells == expected
    assert all(table.title in page.text() and table.note in page.text() for table in made_tables())
    assert all(attrs["scope"] == "col" for attrs in page.all("th"))


def test_tables_after_the_first_are_folded(page: Reader) -> None:
    folded = [attrs for attrs in page.all("details") if attrs.get("class") == "table"]
    assert [attrs["id"] for attrs in folded] == [f"table-{table.name}" for table in made_tables()[1:]]
    assert "open" not in folded[0]
    assert f"{made_tables()[1].title} 2 rows" in page.text()


def test_its_figures_are_the_files_in_order_with_words_for_those_who_do_not_see_them(run: Path, page: Reader) -> None:
    entries = read_figure_list(run / "figures.json")
    images = [attrs for attrs in page.all("img") if "mosaic" not in attrs.get("class", "")]
    for entry, image in zip(entries, images, strict=True):
        content = base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode()
        vectors = (run / entry.file).with_suffix(".svg").read_text()
        assert (
            re.sub(r"<style>@media \(prefers-color-scheme: dark\).*?</style>", "", content, flags=re.DOTALL) == vectors
        )
        drawn = Image.open(run / entry.file)
        assert 1 <= drawn.width / int(image["width"]) == pytest.approx(drawn.height / int(image["height"]), rel=0.01)
        assert image["alt"] == f"{entry.title}: {entry.caption}"
    sections = [attrs["id"] for attrs in page.all("h3") if attrs.get("id", "").startswith("figures-")]
    assert sections == ["figures-training", "figures-clusters", "figures-uncertainty"]
    assert all(attrs["alt"] for attrs in page.all("img"))


def test_figures_without_vectors_are_their_pixels(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", figures=True)
    for path in folder.glob("*.svg"):
        path.unlink()
    entry, image = read_figure_list(folder / "figures.json")[0], Reader(write_page(folder)).all("img")[0]
    content = base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"))
    shown, drawn = Image.open(io.BytesIO(content)), Image.open(folder / entry.file)
    assert ImageChops.difference(shown.convert("RGB"), drawn.convert("RGB")).getbbox() is None


def test_a_map_that_can_be_explored_is_not_shown_again(tmp_path: Path) -> None:
    for latent_map, count in ((made_map(), 0), (None, 1)):
        folder = make_run(tmp_path / str(count), latent_map=latent_map)
        Image.new("RGB", (50, 20)).save(folder / "map.png")
        write_figure_list(folder / "figures.json", [FigureEntry("map.png", "Latent space", "Map", "By cluster.")])
        images = [attrs for attrs in Reader(write_page(folder)).all("img") if attrs["alt"] == "Map: By cluster."]
        assert len(images) == count


def test_every_link_leads_somewhere_in_the_page(page: Reader) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for attrs in page.all("a")]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    sections = [attrs["id"] for attrs in page.all("section")]
    assert [link for link in dict.fromkeys(links) if link[1:] in sections] == [f"#{name}" for name in sections]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1


def test_nothing_is_loaded(run: Path, page: Reader) -> None:
    for tag, attrs in page.elements:
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            if name in attrs:
                assert attrs[name].startswith(("#", "data:")), (tag, attrs[name][:80])
    styles = " ".join(text for tag, text in page.texts if tag == "style")
    styles += " ".join(attrs.get("style", "") for _, attrs in page.elements)
    assert "@import" not in styles
    assert "url(" not in styles
    (policy,) = (attrs["content"] for attrs in page.all("meta") if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "http" not in policy


def test_each_cluster_has_a_place_that_a_tap_leads_to(page: Reader) -> None:
    assert [attrs["id"] for attrs in page.all("article")] == [f"cluster-{k}" for k in range(K)]
    sizes = np.bincount(found().q.argmax(axis=1), minlength=K)
    text = page.text()
    for k, size in enumerate(sizes):
        assert f"Cluster {k} Map Samples {size} " in text
    assert sum("mosaic" in attrs.get("class", "") for attrs in page.all("img")) == 2 * K


def test_it_is_small(run: Path) -> None:
    assert (run / "report.html").stat().st_size < 3e6


def test_names_are_text_wherever_they_come_from(tmp_path: Path, page: Reader) -> None:
    folder = make_run(
        tmp_path / "run",
        latent_map=made_map(
            class_names=np.full(10, HOSTILE), file=np.full(1797, 'a"b<img src=x>.png'), thumbnails=None
        ),
        experiment=HOSTILE,
        method=HOSTILE,
        dataset={"name": HOSTILE, "source": HOSTILE, "shape": [1797, 64]},
        findings=[HOSTILE],
        warnings=[HOSTILE],
        protocol={HOSTILE: HOSTILE},
        versions={"vaeclust_jax": HOSTILE},
    )
    name = 'a"b<img src=x>.png'
    Image.new("RGB", (50, 20)).save(folder / name)
    write_figure_list(folder / "figures.json", [FigureEntry(name, HOSTILE, '"><img src=x>', HOSTILE)])
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | {"experiment": HOSTILE, HOSTILE: HOSTILE})
    write_json(folder / "timing.json", {HOSTILE: 1.0})
    table = made_tables()[0]
    write_tables(folder / "tables.json", [Table("t", HOSTILE, table.columns, table.rows, HOSTILE)])
    hostile = Reader(write_page(folder))
    assert len(hostile.all("script")) == len(page.all("script"))
    assert not any(attrs.get("src") == "x" for attrs in hostile.all("img"))
    assert hostile.text().count(HOSTILE) == 70
    assert {text for tag, text in hostile.texts if tag == "title"} == {f"{HOSTILE} on {HOSTILE}"}


def test_one_seed_has_no_spread(tmp_path: Path) -> None:
    text = made(tmp_path, seeds=(4,), findings=[], warnings=[]).text()
    assert "±" not in text
    assert "Seed 4" in text
    assert "one seed: there is no spread to give" in text
    assert "Warning" not in text
    assert "Findings" not in text
    assert "How sure" not in text  # of a version that wrote no verdict


def test_the_verdict_stands_above_the_scores(tmp_path: Path) -> None:
    verdict = {"how good": ["It is below the floor."], "found": ["3 clusters.", HOSTILE]}
    reader = made(tmp_path, verdict=verdict)
    text = reader.text()
    places = [
        text.index(said) for said in ("How good It is below the floor.", "Found 3 clusters.", HOSTILE, "silhouette")
    ]
    assert places == sorted(places)


def test_the_first_words_of_the_verdict_stand_before_the_map_the_rest_is_folded(tmp_path: Path) -> None:
    verdict = {"found": ["Short.", "Short, too.", 170 * "x", "Last."], "how sure": [200 * "y", "Then."]}
    reader = made(tmp_path, latent_map=made_map().take(np.arange(20)), verdict=verdict)
    shown = [text for tag, text in reader.texts if tag == "dd"]
    assert "Short. Short, too." in shown
    assert 200 * "y" in shown
    assert [text for tag, text in reader.texts if tag == "p" and text in (170 * "x", "Last.", "Then.")] == [
        *(170 * "x", "Last.", "Then."),
    ]


def test_the_verdict_comes_first_then_the_map_then_the_clusters(page: Reader) -> None:
    assert [attrs["id"] for attrs in page.all("section")] == [
        *("verdict", "map", "clusters", "figures", "comparison"),
        *("protocol", "settings", "versions", "citation"),
    ]


def test_a_card_says_what_its_record_does(tmp_path: Path) -> None:
    one = {
        **{"cluster": 0, "samples": 9, "probability": 0.5, "stability": 0.41, "class": HOSTILE, "purity": 0.7},
        **{"doubts": ["other seeds do not find it again"], "nearest": 4, "nearest_probability": 0.2, "alike": 0.6},
        "features": [
            {"name": HOSTILE, "mean": 12.5, "rest": 3.25, "difference": 2.04},
            {"name": "b", "mean": 1, "rest": 0, "difference": None},
        ],
    }
    reader = made(tmp_path, latent_map=made_map(thumbnails=None), clusters=[one])
    text = reader.text()
    for words in (
        "Doubt cluster 0 .",
        "Doubtful: other seeds do not find it again.",
        "Samples 9 Mean probability 0.500",
        f"Purity 0.700 {HOSTILE}",
        "Other seeds agree 0.410",
        "A shallow method agrees 0.600",
        "Confused with cluster 4 0.200",
        f"{HOSTILE} 12.5 3.25 +2.0 SD",
        "b 1 0 all differ",
    ):
        assert words in text, words
    assert {"#cluster-0", "#cluster-4"} <= {attrs["href"] for attrs in reader.all("a")}


def test_the_command_can_be_typed_again(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    write_json(folder / "arguments.json", ["my data.csv", "-k", "3"])
    assert "vaeclust run 'my data.csv' -k 3" in Reader(write_page(folder)).text()
    write_json(folder / "arguments.json", {"a": 1})
    with pytest.raises(InputError, match=r"arguments\.json: it must be a list"):
        write_page(folder)


@pytest.mark.parametrize(("command", "shown"), [(["--outliers", "a.npz"], True), (["--outliers=a"], True), ([], False)])
def test_outliers_are_shown_to_those_who_asked(tmp_path: Path, command: list[str], shown: bool) -> None:
    folder = make_run(tmp_path / "run")
    table = made_tables()[0]
    write_tables(folder / "tables.json", [table, Table("outliers", "Noticed?", table.columns, table.rows, "")])
    write_json(folder / "arguments.json", command)
    assert ("Noticed?" in Reader(write_page(folder)).text()) == shown


def test_settings_that_do_nothing_to_vectors_are_left_out(tmp_path: Path) -> None:
    assert "image size" in made(tmp_path / "images").text()
    vectors = made(tmp_path / "vectors", dataset={"name": "made", "source": "made", "shape": [1797, 64]}).text()
    assert "image size" not in vectors
    assert "learning rate 0.001" in vectors


def test_scores_that_are_not_defined_are_left_out(tmp_path: Path) -> None:
    undefined = dict.fromkeys(("acc", "nmi", "ari", "ami"))
    reader = made(tmp_path, mean={**undefined, "silhouette": 0.3}, std={**undefined, "silhouette": 0.01})
    text = reader.text()
    assert not re.search(r"\b(ACC|NMI|ARI|AMI) (not|—|0)", text)
    assert "silhouette 0.300 ± 0.010" in text
    assert not re.search(r"\b(nan|None)\b", text)


def test_vectors_without_classes_or_files_have_a_page_too(tmp_path: Path) -> None:
    bare = made_map(thumbnails=None, y=None, correct=None, class_names=None, file=None)
    reader = made(tmp_path, latent_map=bare)
    assert reader.all("img") == []
    assert len(reader.all("article")) == K
    assert "Purity" not in reader.text()


def test_a_run_without_a_map_and_times_has_no_place_for_them(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "timing.json").unlink()
    write_tables(folder / "tables.json", [])
    reader = Reader(write_page(folder))
    assert reader.all("script") == reader.all("article") == reader.all("table") == []
    ids = {attrs["id"] for _, attrs in reader.elements if "id" in attrs}
    assert {attrs["href"].removeprefix("#") for attrs in reader.all("a")} <= ids
    assert not {"map", "clusters", "tables", "figures"} & ids
    assert "Wall time" not in reader.text()


def test_an_empty_cluster_has_a_place_that_says_so(tmp_path: Path) -> None:
    reader = made(tmp_path, latent_map=made_map(thumbnails=None), num_clusters=12)
    assert len(reader.all("article")) == 12
    assert reader.text().count("No members.") == 2


def test_of_many_points_some_are_shown_and_the_page_says_how_many(tmp_path: Path) -> None:
    many = made_map(thumbnails=None, file=None).take(np.arange(5000) % 1797)
    dataset = {"name": "many", "source": "made", "shape": [70000, 64]}
    text = made(tmp_path, latent_map=many, dataset=dataset).text()
    assert f"{MAX_POINTS} of the 70000 are shown" in text
    assert sum(map(int, re.findall(r"Samples (\d+)", text))) == MAX_POINTS


def test_a_page_that_cannot_be_made_leaves_the_one_before(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    before = write_page(folder).read_bytes()
    (folder / "map.npz").write_bytes(b"no map")
    with pytest.raises(InputError):
        write_page(folder)
    assert (folder / "report.html").read_bytes() == before
    assert not list(folder.glob(".*"))


def _with(**changes: Any) -> Any:
    def change(folder: Path) -> None:
        metrics = json.loads((folder / "metrics.json").read_text())
        write_json(folder / "metrics.json", metrics | changes)

    return change


def _older(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["findings"], metrics["schema"]
    write_json(folder / "metrics.json", metrics)
    for name in ("tables.json", "figures.json", "map.npz"):
        (folder / name).unlink()


def _figure(file: str) -> Any:
    return lambda folder: write_figure_list(folder / "figures.json", [FigureEntry(file, "s", "t", "c")])


def _unpacks_to_much(folder: Path) -> None:
    np.savez_compressed(folder / "map.npz", points=np.zeros(10**8, np.uint8))


def _points_of_text(folder: Path) -> None:
    with np.load(folder / "map.npz") as arrays:
        np.savez(folder / "map.npz", **{**arrays, "points": np.full((20, 2), "x")})


def _cluster_of_2_to_the_40(folder: Path) -> None:
    with np.load(folder / "map.npz") as arrays:
        np.savez(folder / "map.npz", **{**arrays, "cluster": np.full(20, 2**40)})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "metrics.json").unlink(), "did not finish: metrics.json is missing"),
        (lambda folder: (folder / "tables.json").unlink(), "did not finish: tables.json is missing"),
        (lambda folder: (folder / "figures.json").unlink(), "did not finish: figures.json is missing"),
        (lambda folder: (folder / "config.json").unlink(), "which holds no config.json"),
        (_older, "was written by an older vaeclust_jax: run it again"),
        (_with(schema=3), "was written by a newer vaeclust_jax, whose records this one cannot read: upgrade it"),
        (_with(protocol=None), "metrics.json: protocol must be an object, got None"),
        (_with(seeds=[0, 1]), "metrics.json: seeds.0 must be an object, got 0"),
        (_with(dataset={"name": "digits"}), "metrics.json: dataset.source is missing"),
        (_with(mean=3), "metrics.json: mean must be an object, got 3"),
        (
            lambda folder: (folder / "timing.json").write_text('{"fit": "long"}'),
            "timing.json: fit must be a finite number, got 'long'",
        ),
        (lambda folder: (folder / "metrics.json").write_text("{"), "metrics.json cannot be read as JSON"),
        (lambda folder: (folder / "metrics.json").write_text("[]"), "metrics.json must hold an object, got list"),
        (lambda folder: (folder / "tables.json").write_text('[{"a": 1}]'), "tables.json: 0.name is missing"),
        (lambda folder: (folder / "figures.json").write_text('[{"a": 1}]'), "figures.json: 0.file is missing"),
        (lambda folder: (folder / "map.npz").write_text("no"), "map.npz cannot be read as the latent map"),
        (_unpacks_to_much, "map.npz cannot be read as the latent map of a run: it unpacks to 95 MB, more than any"),
        (_points_of_text, "map.npz cannot be read as the latent map of a run: it must have finite points"),
        (_cluster_of_2_to_the_40, "map.npz cannot be read as the latent map of a run: it must have less than 65536"),
        (lambda folder: (folder / "config.json").write_text('{"config": 3}'), "config.json: config must be an object"),
        (_figure("gone.png"), "did not finish: gone.png is missing"),
        (_figure("../../secret.png"), "must name PNGs beside it, got '../../secret.png'"),
        (_figure("config.json"), "must name PNGs beside it, got 'config.json'"),
    ],
)
def test_a_folder_that_holds_no_whole_run(tmp_path: Path, change: Any, words: str) -> None:
    folder = make_run(tmp_path / "run", latent_map=made_map().take(np.arange(20)))
    read_run(folder)  # it is whole before
    change(folder)
    with pytest.raises(InputError) as caught:
        write_page(folder)
    assert words in str(caught.value)
    assert not (folder / "report.html").exists()


def test_a_png_that_is_none(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / "a.png").write_bytes(b"no image")
    _figure("a.png")(folder)
    with pytest.raises(InputError, match=r"a\.png must be a PNG"):
        write_page(folder)


@pytest.mark.parametrize("side", [5000, 20000])
def test_a_png_larger_than_any_of_ours(tmp_path: Path, side: int) -> None:
    folder = make_run(tmp_path / "run")
    Image.new("1", (side, side)).save(folder / "a.png")
    _figure("a.png")(folder)
    with pytest.raises(InputError, match=r"a\.png .* pixels"):
        write_page(folder)


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_what_is_no_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "run"
    if kind == "file":
        path.write_text("")
    with pytest.raises(InputError, match="does not exist" if kind == "absent" else "is a file"):
        write_page(path)


def test_scores_of_other_tasks_have_the_names_that_people_know(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    write_json(folder / "metrics.json", GENERATED.record())
    text = Reader(write_page(folder)).text()
    assert "Fréchet distance 3.000" in text
    assert "frechet" not in text


def test_how_data_were_read_is_said_once(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", dataset={**as_json(COMMON["dataset"]), "taken": ["labels: column 'kind'"]})
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | {"data": {"taken": ["labels: column 'kind'"], "columns": None}})
    text = Reader(write_page(folder)).text()
    assert text.count("labels: column 'kind'") == 1
    assert "Data as read labels: column 'kind'" in text
