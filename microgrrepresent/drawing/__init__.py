"""Drawings of graphs: ``draw`` makes one, ``save`` writes it to a file.

``stepper`` writes a page on which to step through a run. A drawing comes about in six stages, each
of which knows nothing of those after it; read the files in this order:

1. *What is asked for.* `scene` is `draw` itself, every stage in a line; `choices` refuses the rest.
2. *When.* `timeline` gives each node a column, a column a step; `folded` has one step for all,
   `window` some for many.
3. *What shares a box.* `views`, `gates` and `cells` say it for each node; `naming` says its name.
4. *Boxes and arrows.* `picture` is what there is to draw, `builder` makes it of graph and view,
   `labels` sets names as mathematics, `parameters` tells those of one name apart, `sizes` fits
   boxes to what they say.
5. *Where they stand.* `layout` cuts the picture into `blocks`, takes the outlines of each, a
   `sketch` (`alike` makes one of a backward pass's), and lays equal ones out once, as a tile: a
   whole cell by `stretched`, up to a hundred boxes by `layered` (`ordering`, then `coordinates`),
   more by dot (`tiles`, `engine`). `grid` puts the tiles side by side, `routes` joins their
   `curves`. `gradients` adds the way back, `pairs` puts folded and unrolled together, `describing`
   says it all in words.
6. *What it is written in.* `themes` and `colors`; then `svg`, `tikz` and, for Graphviz, `digraph`;
   `saving` and `notebook` choose among them.

`stepper_page` and `stepper_data` make the page.
"""

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.saving import save
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.page.stepper_page import stepper

__all__ = ["Drawing", "draw", "save", "stepper"]
