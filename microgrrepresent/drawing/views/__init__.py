"""What a picture shows: which nodes share a box, and what the box says."""
