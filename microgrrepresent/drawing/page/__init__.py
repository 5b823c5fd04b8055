"""The page that runs a graph forward and back, node by node."""
