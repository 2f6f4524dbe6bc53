"""Fills the generated part of `benchmarks/README.md` from the files in `benchmarks/results/`."""

from pathlib import Path

from benchmarks.results import FOLDER, Content, Record, read
from benchmarks.table import CAPTION, HEADINGS, cells, matmul_rates
from vaeclust_jax.folder.export import markdown
from vaeclust_jax.folder.table import Column, Table
from vaeclust_jax.whole_file import write_whole

README = Path(__file__).parent / "README.md"
START, END = "<!-- figures: written by --write-readme -->", "<!-- end of figures -->"

_TEXTS = {"case", "what", "target"}


def write_readme() -> list[Path]:
    """Writes the README again, and says from which files.

    Raises:
        InputError: a file is damaged.
    """
    files = sorted(FOLDER.glob("*.json"))
    write_whole(README, filled(README.read_text(encoding="utf-8"), {path.stem: read(path) for path in files}))
    return files


def filled(text: str, contents: dict[str, Content]) -> str:
    """A text with what lies between its two comments replaced.

    Args:
        text: holds `START` and `END`.
        contents: of the files, by name; each becomes a section.
    """
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    sections = [_section(name, content) for name, content in contents.items()]
    middle = "\n".join(sections) or "None yet.\n"
    return f"{before}{START}\n\n{middle}\n{END}{after}"


def _section(name: str, content: Content) -> str:
    rows = content["rows"]
    columns = tuple(Column(heading, "text" if heading in _TEXTS else "score") for heading in HEADINGS)
    table = Table(
        name=name,
        title=CAPTION,
        columns=(*columns, Column("note", "text")),
        rows=tuple((*cells(row), row["note"]) for row in rows),
    )
    runs = [_run_line(content["runs"][date], rows) for date in content["runs"]]
    return "\n".join([f"### {name}", "", *runs, "", "<!-- rows: times -->", markdown(table)])


def _run_line(run: Content, rows: list[Record]) -> str:
    """Where the figures of one run come from."""
    machine = run["machine"]
    cases = ", ".join(dict.fromkeys(row["case"] for row in rows if row["run"] == run["date"]))
    device = "" if machine["platform"] == "cpu" else f"; {machine['device']}"
    used = ", ".join(f"{name} {version}" for name, version in run["versions"].items() if version is not None)
    return (
        f"- {cases}: {run['date'][:10]}, commit {run['commit'] or 'unknown'}, `{run['command']}`; "
        f"{machine['name']}, {machine['cores']} cores{device}; {used}; "
        f"matmul peak {matmul_rates(run)}; load average before it {run['load']}."
    )
