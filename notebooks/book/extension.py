"""For Sphinx: the directive `generated`, and formulas as MathML."""

from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.docutils import SphinxDirective

from notebooks.book.api import as_rst, has_no_text_of_its_own
from notebooks.book.parts import PARTS

_STYLE = Config(napoleon_use_ivar=True, napoleon_attr_annotations=False)


class Generated(SphinxDirective):
    """`generated NAME ARGUMENT...` is the Markdown that a function of `PARTS` returns; its content is one more."""

    required_arguments = 1
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:  # noqa: D102
        self.env.note_reread()  # what it says may change while the page does not
        name, *rest = " ".join(self.arguments).split()
        content = ["\n".join(self.content)] if self.content else []
        return self.parse_text_to_nodes(PARTS[name](*rest, *content), allow_section_headings=True)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="formula">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def _process(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    if "Fields:" in lines:  # for `help`; here each field is shown with its text
        del lines[lines.index("Fields:") :]
    as_rst(lines)
    if what != "attribute":  # of which napoleon takes what stands before a colon for a type
        lines[:] = GoogleDocstring(lines, _STYLE, app, what, name, found, options).lines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("generated", Generated)
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("autodoc-process-docstring", _process)
    app.connect(
        "autodoc-skip-member", lambda app, what, name, found, *rest: has_no_text_of_its_own(name, found) or None
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
