"""Sphinx's settings for the course; `build.py` calls it."""

import re

from sphinx.search.en import SearchEnglish

project = "microgrrepresent"
html_title = "microgrrepresent"
author = "the authors of microgrrepresent"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["pictures/*"]
suppress_warnings = ["ref.python"]  # words in types of parameters that are names, too

# Pages work without network: MathJax is served with them, and the theme asks for nothing.
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
mathjax_path = "tex-svg-full.js"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3

# A notebook that fails fails the build. In a notebook only answers are hidden.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_render_markdown_format = "myst"  # formulas, in what a cell shows
nb_code_prompt_show = "Show an answer"
nb_code_prompt_hide = "Hide the answer"

default_role = "code"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"
napoleon_use_rtype = False
napoleon_use_ivar = True


class Search(SearchEnglish):
    """English by words; Chinese by its characters and by pairs of them, in pages and in queries."""

    js_splitter_code = r"""
function splitQuery(query) {
  const words = /[\u4e00-\u9fff]+|(?:(?![\u4e00-\u9fff])[\p{L}\p{N}_])+/gu;
  const pairs = (run) => Array.from(run.slice(1), (_, i) => run.slice(i, i + 2));
  return (query.match(words) ?? []).flatMap((word) =>
    /[\u4e00-\u9fff]{2}/.test(word) ? pairs(word) : [word]);
}"""

    def split(self, text):
        """The words of a page, without order."""
        chinese = re.findall(r"[\u4e00-\u9fff]+", text)
        pairs = [run[i : i + n] for run in chinese for n in (1, 2) for i in range(len(run) + 1 - n)]
        return super().split(re.sub(r"[\u4e00-\u9fff]", " ", text)) + pairs


def formulas_as_written(app, what, name, obj, options, lines):
    """Keep the line breaks of formulas: in docstrings they are paragraphs that are indented."""
    last, written = "", []
    for line in lines:
        if line.startswith("    ") and written and not written[-1] and last[:1].strip():
            written += ["::", ""]
        written.append(line)
        last = line or last
    lines[:] = written


def each_attribute(app, what, name, obj, options, lines):
    """Say of each attribute what is said of several: Sphinx's field has room for one name."""

    def apart(found):
        field, names, said = found.groups()
        return "\n".join(f":{field} {name}:{said}" for name in names.split(", "))

    several = re.compile(r"^:(ivar|vartype) (\w+(?:, \w+)+):(.*(?:\n +.*)*)", re.MULTILINE)
    lines[:] = several.sub(apart, "\n".join(lines)).split("\n")


def without_fields(app, what, name, obj, skip, options):
    """Leave the fields of a named tuple out: they have no docstrings, their class says them."""
    return skip or type(obj).__name__ == "_tuplegetter"


def setup(app):
    """Let Sphinx call them: one before docstrings are read as NumPy's, and one behind."""
    app.add_search_language(Search)
    app.connect("autodoc-skip-member", without_fields)
    app.connect("autodoc-process-docstring", formulas_as_written, priority=100)
    app.connect("autodoc-process-docstring", each_attribute, priority=900)
