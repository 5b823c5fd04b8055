"""Drawings of graphs: ``draw`` makes one, ``save`` writes it to a file.

``stepper`` writes a page on which to step through a run. A drawing comes about in stages, each of
which has a room of its own and knows nothing of those after it; read the rooms in this order:

1. ``time/``. *When.* `timeline` gives each node a column, a column a step; `storeys` says where one
   loop is over and the next begins, `contexts` what the next looks at, `apart` what has nothing in
   common; `layers` tells those of a stack apart; `playback` is the order in which it is computed;
   `describing` says in words what there is.
2. ``marks/``. *What there is to draw*: `picture` has boxes and arrows, `labels` sets names as
   mathematics, `naming` says a node's name, `sizes` fits boxes to what they say, `curves` are the
   paths of arrows, `themes` and `colors` how all of it looks.
3. ``views/``. *What shares a box*: `views`, `gates` and `cells` say it for each node, `folded` has
   one step for all, `window` some for many, `contexts` what attention computes; `builder`
   makes boxes and arrows of it, `delay_lines` hands values on to later steps, `parameters` tells
   those of one name apart. `leaving_out`, `highlight` and `gate_colors` do what a lecturer asks
   for; `choices` refuses what cannot be drawn.
4. ``layout/``. *Where everything stands.* Five files are the way through: `layout` cuts the picture
   into `blocks` and lays out equal ones once; `layered` is the layout of a block; `grid` is what
   the blocks are put into, by `rows`, `columns` and `states`; `routes` joins the arrows; `page`
   fits it to what it is shown on. Behind `layered` stand `tracing` (a block as a `sketch` of
   `outlines`), `ranks` (and `narrow`, for two rows of gates), `ordering`, `sides`, `coordinates`
   (by the `network_simplex` method) and `tracks`. A whole cell is a `single_box`, with delay lines
   a `tapped_box`; two directions are `parallel`; `edges` says how near columns may be. `legend`,
   `panels`, `gradients`, `gaps` at crossings, `ribbon`, `storeys`, `side_by_side`, `gallery`,
   `turning`, `sums` and `words` finish the picture.
5. ``output/``. *What it is written in*: `svg`, `tikz` and, for Graphviz, `digraph`, which a user
   may edit, and `xdot`, which it paints. `pptx` is a slide, with `pptx_shapes`, `pptx_sites` to
   glue connectors to, and `pptx_colors`; `frames` are several drawings; `animated` writes them into
   one file, and `changes` says what of each is new. `scene` is `draw` itself, every stage in a
   line; `notebook` is what a notebook shows.
6. ``page/``. *Pages of HTML*, each with its data, style and script: `viewer` to look around in a
   drawing, `frames_page` to go through several, `stepper` to run a graph node by node.

`saving` chooses among them by the ending of a file's name.
"""

from microgrrepresent.drawing.output.digraph import Drawing
from microgrrepresent.drawing.output.frames import frames
from microgrrepresent.drawing.output.scene import draw
from microgrrepresent.drawing.page.stepper_page import stepper
from microgrrepresent.drawing.saving import save
from microgrrepresent.drawing.views.highlight import path

__all__ = ["Drawing", "draw", "frames", "path", "save", "stepper"]
