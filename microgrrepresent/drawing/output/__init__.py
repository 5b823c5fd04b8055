"""A placed picture as SVG, TikZ or a Graphviz document, shown or saved."""
