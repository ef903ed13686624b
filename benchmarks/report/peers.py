"""The report on peers: the same weights and inputs elsewhere, distance from the limit, footprint."""

from collections.abc import Mapping

from benchmarks.charts import distributions
from benchmarks.charts import ratios as charts_ratios
from benchmarks.charts.ratios import interval
from benchmarks.charts.scales import duration, number, size, times
from benchmarks.charts.svg import chart
from benchmarks.common.limits import read_limits
from benchmarks.peers.limits import LIMITED
from benchmarks.report.models import KERAS, ONE
from benchmarks.report.page import Parts, figure, heading, paragraph, table, warned
from benchmarks.report.results import Absent, Result, Results
from benchmarks.speed.single_digit import BARE, SCORES
from edge_runtime.bench.result import Measure

READING, PRODUCTS = "limit/reading", "limit/products"
# Parts of the limit: name, count, time, rate, and number format.
PARTS = (
    ("weights and biases from the cache", "limit/weight bytes", READING, "limit/bytes from the cache a second", size),
    ("int8 multiply-adds", "limit/multiply-adds", PRODUCTS, "limit/int8 multiply-adds a second", number),
)
FOOTPRINT, REFERENCE = "footprint/", "LiteRT"


def peers(results: Results) -> Parts:
    """Return the section on the time of a digit in each peer, as a multiple."""
    result = results.by_benchmark["peers"]
    calls = _calls(result)
    ratios = {name: result.ratio(ONE + name, ONE + SCORES) for name in calls if name != SCORES}
    quick = {name: each for name, each in calls.items() if not name.startswith(KERAS)}
    return [
        paragraph("The same weights, the same digit, one thread, one run: all runtimes take turns of some 20 ms, in "
                  "several processes, each in the way that its manual recommends for speed."),
        figure(chart("peers", f"Ratios with intervals: how many times as long as {SCORES} each of {', '.join(ratios)} "
                              "takes",
                     lambda wide: charts_ratios.draw(ratios, SCORES, wide)),
               "The bar is the 95 % interval, by bootstrap; if it is invisible, it is narrower than the dot."),
        figure(chart("peers-strips", f"A strip of measured times for each of {', '.join(quick)}",
                     lambda wide: distributions.draw(quick, wide)),
               "The same times as measured; the full network's would be far to the right. Every line is one value, "
               "the bar the median, and < the 99th percentile."),
        *_asked(result, read_limits().get("peers", {})),
    ]  # fmt: skip


def _asked(peers: Result, limits: Mapping[str, float]) -> Parts:
    """Return a table of the limits, and whether the whole interval is within each."""
    lines = []
    for key, limit in limits.items():
        ratio = peers.ratio(ONE + LIMITED[key], ONE + BARE)
        met = "yes" if ratio.high <= limit else warned("no")
        lines.append([f"{LIMITED[key]}, as a multiple of {BARE}", interval(ratio), f"at most {limit:g}", met])
    title = "Requirements"
    return [heading(title), table(title, ["", "measured", "required", "met"], lines)] if lines else []


def roofline(results: Results) -> Parts:
    """Return the section on this core's limit, and each runtime's distance from it."""
    result = results.by_benchmark["peers"]
    measured = result.measures
    if not {READING, PRODUCTS} <= measured.keys():
        raise Absent("the rates of this core")
    limit = max((measured[name] for name in (READING, PRODUCTS)), key=lambda each: each.value)
    ratios = {name: result.ratio(ONE + name, limit.name) for name in _calls(result) if not name.startswith(KERAS)}
    lines = [
        [what, write(measured[amount].value), duration(measured[time].value), f"{write(measured[rate].value)} a second"]
        for what, amount, time, rate, write in PARTS
    ]
    memory = measured.get("limit/bytes from memory a second")
    beyond = "" if memory is None else f" From memory, beyond all caches, it reads {size(memory.value)} a second."
    return [
        paragraph("A digit needs every weight once and every multiply-add once. How fast this core reads, and how "
                  "fast it multiplies int8, was measured in the same turns as the runtimes; the slower of both is the "
                  f"least that a digit of this int8 network can take: {duration(limit.value)}, the roofline.{beyond}"),
        figure(chart("roofline", f"Ratios: how many times as long as the limit each of {', '.join(ratios)} takes",
                     lambda wide: charts_ratios.draw(ratios, "the limit of this core", wide)),
               "No runtime can be left of 1. Float networks read four times as many bytes."),
        table("The limit", ["", "a digit needs", "which takes", "at"], lines),
    ]  # fmt: skip


def footprint(results: Results) -> Parts:
    """Return the section on each runtime's footprint in its own environment."""
    measures = results.by_benchmark["peers"].group(FOOTPRINT)
    if not measures:
        raise Absent("environments of each runtime alone")
    ways = {"size": size, "import": duration, "memory": size}
    names = list(dict.fromkeys(key.rpartition(" ")[0] for key in measures))

    def cell(name: str, what: str) -> str:
        each, reference = measures.get(f"{name} {what}"), measures.get(f"{REFERENCE} {what}")
        if each is None:
            return ""
        shown = ways[what](each.value)
        return shown if reference is None or name == REFERENCE else f"{shown} ({times(each.value / reference.value)})"

    lines = [[name, *(cell(name, what) for what in ways)] for name in names]
    return [
        paragraph(f"An environment for each runtime, with what it needs and nothing else: its size on disk, the "
                  f"time of its imports, and the peak memory of one inference. In brackets: as a multiple of "
                  f"{REFERENCE}."),
        table("Footprint", ["", "on disk", "import", "memory"], lines),
    ]  # fmt: skip


def _calls(result: Result) -> dict[str, Measure]:
    """Return the times of all calls on one digit, by name. Raises Absent if ours is not among them."""
    calls = result.group(ONE)
    if SCORES not in calls:
        raise Absent(f"{SCORES} beside its peers")
    return calls
