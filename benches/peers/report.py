"""Medians and quartiles of what was measured, as a table and for JSON. Imported by benches/peers.py."""

import statistics

from architectures import BATCH

TITLES = {
    "single": "one architecture a request, 1 connection",
    "parallel": "one architecture a request, 32 connections",
    "batch": f"{BATCH:,} architectures in one request, 1 connection",
}
# What is told of each load, with its unit.
METRICS = {"single": {"p50_ms": "ms, p50", "per_s": "requests/s"}, "parallel": {"per_s": "requests/s"}, "batch": {"ms": "ms"}}


def spread(values):
    """The median and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": middle, "q1": low, "q3": high}


def summarised(rounds):
    """For each contender, recipe and load what its rounds say, and lglp's ratio to it, round by round; `rounds` has by contender, recipe
    and load what came of each round, by its number."""
    results = []
    for (name, recipe, load), own in rounds.items():
        result = {"contender": name, "recipe": recipe, "load": load, "rounds": own}
        for metric in METRICS[load]:
            result[metric] = spread([one[metric] for one in own.values()])
            for of in [recipe] if recipe else ["lglp", "additive"]:
                lglp = rounds.get(("lglp", of, load), {})
                ratios = [lglp[at][metric] / own[at][metric] for at in own if at in lglp]
                if ratios and name != "lglp":
                    result.setdefault("lglp_over_it", {}).setdefault(of, {})[metric] = spread(ratios)
        results.append(result)
    return results


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def cell(told, unit):
    return f"{number(told['median'])} {unit} ({number(told['q1'])} to {number(told['q3'])})"


def ratio(told):
    return f"{told['median']:.3g} ({told['q1']:.3g} to {told['q3']:.3g})"


def table(results, contenders):
    """Lines, recipe by recipe and load by load."""
    for recipe in ("lglp", "additive"):
        for load, title in TITLES.items():
            rows = [one for one in results if one["load"] == load and one["recipe"] in (recipe, None)]
            if rows:
                yield f"\nrecipe {recipe}: {title}"
            for metric, unit in METRICS[load].items():
                for one in rows:
                    against = one.get("lglp_over_it", {}).get(recipe, {}).get(metric)
                    scaled = {told.get("rows_asked", BATCH) for told in one["rounds"].values()} - {BATCH}
                    note = f"; {max(scaled):,} asked, times {BATCH // max(scaled)}" if scaled else ""
                    beside = f"lglp / {one['contender']} {ratio(against)}" if against else ""
                    yield f"  {one['contender']:5} {cell(one[metric], unit):50} {beside:38} {contenders[one['contender']]}{note}"
