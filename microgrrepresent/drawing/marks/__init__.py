"""What a picture is made of: boxes, arrows, labels, colors, themes."""
