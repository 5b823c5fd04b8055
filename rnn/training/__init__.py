"""Training: losses, optimisers, schedules, clipping, truncated BPTT, fit, checkpoints."""
