"""Draws what benches/peers.py wrote: a bar for each contender, in groups by recipe and load.

    python3 benches/peers/plot.py RESULTS.json >docs/performance.svg

Bars are of times, so that shorter is faster everywhere: of a request, or from one to the next where many connections ask. The longest of
each group is as long as that of any other.
"""

import json
import pathlib
import sys

from report import METRICS, TITLES

WIDTH, LEFT, RIGHT, BAR, GAP = 860, 60, 330, 16, 44
COLOURS = {"lglp": "#2a6f97", "R": "#2a6f97", "F1": "#b0b0b0", "F2": "#b0b0b0"}


def milliseconds(result, load):
    """The median, and its label."""
    metric, unit = next(reversed(METRICS[load].items())) if load == "parallel" else next(iter(METRICS[load].items()))
    median = result[metric]["median"]
    label = f"{median:,.0f} {unit}" if median >= 100 else f"{median:.3g} {unit}"
    return (1e3 / median if metric == "per_s" else median), label


def groups(results):
    for recipe in ("additive", "lglp"):
        for load, title in TITLES.items():
            own = [one for one in results if one["load"] == load and one["recipe"] in (recipe, None)]
            yield f"{recipe}: {title}", [(one["contender"], *milliseconds(one, load)) for one in own]


def main():
    whole = json.loads(pathlib.Path(sys.argv[1]).read_text())
    drawn = [(title, bars) for title, bars in groups(whole["results"]) if bars]
    lines, y = [], 10
    for title, bars in drawn:
        y += GAP - BAR
        lines.append(f'<text x="{LEFT}" y="{y}" font-weight="bold">{title}</text>')
        y += 8
        longest = max(time for _, time, _ in bars)
        for name, time, label in sorted(bars, key=lambda bar: bar[1]):
            length = (WIDTH - LEFT - RIGHT) * time / longest
            text = f"{label}: {whole['contenders'][name]}"
            lines.append(f'<text x="{LEFT - 8}" y="{y + BAR - 4}" text-anchor="end">{name}</text>')
            lines.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 3}" fill="{COLOURS.get(name, "#d98c5f")}"/>')
            lines.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + BAR - 4}">{text}</text>')
            y += BAR
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 14}" font-family="sans-serif" font-size="12">'
    print("\n".join([head, f'<rect width="{WIDTH}" height="{y + 14}" fill="white"/>', *lines, "</svg>"]))


main()
