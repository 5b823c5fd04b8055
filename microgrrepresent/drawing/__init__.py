"""Drawings of graphs by Graphviz: ``draw`` makes one, ``save`` writes it to a file.

``stepper`` writes a page on which to step through a run.
"""

from microgrrepresent.drawing.digraph import Drawing
from microgrrepresent.drawing.saving import save
from microgrrepresent.drawing.scene import draw
from microgrrepresent.drawing.stepper_page import stepper

__all__ = ["Drawing", "draw", "save", "stepper"]
