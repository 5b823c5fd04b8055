"""Which column of a picture each node belongs to, and which nodes correspond."""
