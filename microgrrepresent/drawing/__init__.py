"""Drawings of graphs by Graphviz: ``draw`` makes one, ``save`` writes it to a file."""

from microgrrepresent.drawing.digraph import Drawing
from microgrrepresent.drawing.draw import draw
from microgrrepresent.drawing.save import save

__all__ = ["Drawing", "draw", "save"]
