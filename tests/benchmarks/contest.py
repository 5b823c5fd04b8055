"""A contest: several ways to the same result, timed in turns."""

import gc
from statistics import median
from time import process_time


def take_turns(contestants, rounds):
    """Let the contestants run in turns, A B C A B C ..., and give {name: seconds of each round}.

    Taking turns, all of them meet the same noise. Seconds are those of the processor, all threads
    together: what other programs take of it at the same time does not count. Garbage is collected
    as always, but not among the many objects that the imported libraries are made of.
    """
    for run in contestants.values():
        run()  # the first call fills caches
    gc.collect()
    gc.freeze()
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = process_time()
            run()
            times[name].append(process_time() - start)
    gc.unfreeze()
    return times


class Ratio:
    """How many times as long a takes as b, round by round: the median and the extremes."""

    def __init__(self, a, b):
        ratios = [x / y for x, y in zip(a, b, strict=True)]
        self.median, self.low, self.high = median(ratios), min(ratios), max(ratios)

    def __str__(self):
        return f"{self.median:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def verdict(reached):
    """What a table says beside a bar."""
    return "reached" if reached else "NOT REACHED"


def formatted(title, header, rows):
    """A table in text, in columns as wide as need be."""
    rows = [header, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    rule = "  ".join("-" * w for w in widths)
    return "\n".join([title, "", lines[0].rstrip(), rule, *(line.rstrip() for line in lines[1:])])
