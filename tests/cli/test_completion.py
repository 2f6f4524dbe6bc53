"""Completion, asked of the shells themselves."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer

_IN_BASH = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_shtab_vaeclust vaeclust "${{COMP_WORDS[$COMP_CWORD]}}" && printf '%s\\n' "${{COMPREPLY[@]}}"
"""
_IN_FISH = 'source {script}; complete -C "{words}"'


@pytest.fixture(scope="module", params=["bash", "fish"])
def complete(
    request: pytest.FixtureRequest, process: Callable[..., Answer], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[str]]:
    """From a line to what the shell offers for its last word."""
    shell: str = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    code, out, err = process("completion", shell)
    assert (code, err) == (0, "")
    script = tmp_path_factory.mktemp(shell) / "script"
    script.write_text(out)

    def ask(line: str) -> list[str]:
        form, words = (_IN_BASH, line if line[-1] != " " else f'{line} ""') if shell == "bash" else (_IN_FISH, line)
        done = subprocess.run(
            [shell, "-c", form.format(script=script, words=words)], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return [offered.partition("\t")[0] for offered in done.stdout.splitlines()]

    return ask


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vaeclust r", ["report", "run"]),
        ("vaeclust run vaeg", ["vaegmm-mnist", "vaegmm-mnist-literal", "vaegraph"]),
        ("vaeclust run --pretrain-e", ["--pretrain-epochs"]),
        ("vaeclust run vade --num-proto", ["--num-prototypes"]),  # of a choice inside a method
        ("vaeclust run --label-c", ["--label-column"]),
        ("vaeclust run --network ml", ["mlp", "mlp-relu-heads", "mlp-torch-start"]),
        ("vaeclust tune --first-s", ["--first-seed"]),
        ("vaeclust predict --write", ["--write-h5ad"]),
        ("vaeclust compare --score ", ["acc", "ami", "ari", "nmi"]),
        ("vaeclust data get mnist-", ["mnist-test"]),
    ],
)
def test_words_are_completed(complete: Callable[[str], list[str]], line: str, offered: list[str]) -> None:
    assert sorted(complete(line)) == offered


def test_paths_are_completed(complete: Callable[[str], list[str]], tmp_path: Path) -> None:
    (tmp_path / "spectra.csv").touch()
    for line in (f"vaeclust run vaedec {tmp_path}/sp", f"vaeclust run --dataset {tmp_path}/sp"):
        assert complete(line) == [f"{tmp_path}/spectra.csv"]


def test_zsh_can_read_its_script(vaeclust: Callable[..., Answer], tmp_path: Path) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("no zsh here")
    script = tmp_path / "_vaeclust"
    script.write_text(vaeclust("completion", "zsh")[1])
    subprocess.run(["zsh", "-n", script], check=True)


def test_another_shell_is_refused(vaeclust: Callable[..., Answer]) -> None:
    code, out, err = vaeclust("completion", "cmd")
    assert (code, out) == (2, "")
    assert "bash" in err
