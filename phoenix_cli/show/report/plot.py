"""The report's pictures, as inline SVG: series over time, and the reduction with its interval on an axis.

Colours come from the page's style sheet by class, so that light and dark are decided there. Every text is escaped by
`Markup.format`. Nothing is filled in: a line breaks where a scrape is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from chalicelib.domain.evaluation.result.result import Reduction, Rows
from phoenix_cli.show.figures import duration, interval, percent, time_of_day, whole
from phoenix_cli.show.report.axis import Axis, time_axis, value_axis

STREAMS = ("raw", "baseline", "candidate")
TOP, BOTTOM, LEFT, RIGHT = 50, 42, 58, 16
_JOIN = Markup("")


@dataclass(frozen=True)
class Flag:
    """A moment to mark: seconds since the window opened, its number in the timeline, and what happened."""

    seconds: float
    number: int
    text: str


@dataclass(frozen=True)
class _Frame:
    """The plotting area in a picture of width × height, and its axes."""

    width: int
    height: int
    time: Axis
    value: Axis

    def x(self, seconds: float) -> float:
        return round(LEFT + self.time.share(seconds) * (self.width - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(self.height - BOTTOM - self.value.share(value) * (self.height - TOP - BOTTOM), 1)


def series_plot(
    rows: Rows, flags: Sequence[Flag], *, interval_s: float, opened: float, width: int = 960, height: int = 340
) -> Markup:
    """Series per scrape over time. opened: Unix seconds at which the window opened; rows must not be empty."""
    end = rows.seconds[-1]
    shown = [flag for flag in flags if 0 <= flag.seconds <= end + max(3 * interval_s, end * 0.08)]
    last = max([end, *(flag.seconds for flag in shown)])
    frame = _Frame(width, height, time_axis(0.0, last, max(3, width // 130)), value_axis(_columns(rows)))
    parts = [
        _grid(frame),
        _flags(frame, shown),
        *(_line(frame, stream, rows, interval_s) for stream in STREAMS),
        _hovers(frame, rows, opened),
    ]
    about = (
        f"Series per scrape from {time_of_day(opened + rows.seconds[0])} to {time_of_day(opened + end)} UTC. Last: "
        + ", ".join(f"{stream} {whole(getattr(rows, stream)[-1])}" for stream in STREAMS)
    )
    return _picture(width, height, about, parts)


def scale_note(rows: Rows) -> str:
    """How the vertical axis of `series_plot` is divided."""
    axis = value_axis(_columns(rows))
    return "logarithmic scale" if axis.log else "linear scale from zero"


def _columns(rows: Rows) -> list[Sequence[float]]:
    return [getattr(rows, stream) for stream in STREAMS]


def _picture(width: int, height: int, about: str, parts: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}" font-size="12">{}</svg>'
    ).format(width, height, width, height, about, _JOIN.join(parts))


def _grid(frame: _Frame) -> Markup:
    right, floor = frame.width - RIGHT, frame.height - BOTTOM
    across = Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/>')
    down = Markup('<line class="grid" x1="{x}" x2="{x}" y1="{}" y2="{}"/>')
    name = Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>')
    lines = []
    for tick in frame.value.ticks:
        lines.append(across.format(LEFT, right, y=frame.y(tick)))
        lines.append(
            name.format(
                LEFT - 8, frame.y(tick) + 4, "end", _amount(tick, tick if frame.value.log else frame.value.high)
            )
        )
    for tick in frame.time.ticks:
        lines.append(down.format(floor, floor + 5, x=frame.x(tick)))
        lines.append(name.format(frame.x(tick), floor + 20, "middle", duration(tick)))
    lines.append(Markup('<text class="axis" x="{}" y="14">series per scrape</text>').format(4))
    about = "time since the warm-up ended"
    lines.append(
        Markup('<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>').format(right, frame.height - 4, about)
    )
    return _JOIN.join(lines)


def _amount(value: float, top: float) -> str:
    """In the unit that suits `top`, the greatest value of a linear axis; 0 needs none."""
    for unit, factor in (("M", 1_000_000), ("k", 1000)):
        if value and top >= (factor if value == top else 10 * factor):
            return f"{value / factor:g} {unit}"
    return f"{value:,.12g}"


def _line(frame: _Frame, stream: str, rows: Rows, interval_s: float) -> Markup:
    """A path that breaks at gaps; a scrape with no neighbour on either side is a dot."""
    longest = interval_s * rows.scrapes_per_row * 1.5
    runs: list[list[tuple[float, float]]] = []
    before: float | None = None
    for seconds, value in zip(rows.seconds, getattr(rows, stream), strict=True):
        if before is None or seconds - before > longest:
            runs.append([])
        runs[-1].append((frame.x(seconds), frame.y(value)))
        before = seconds
    path = "".join("M" + "L".join(f"{x} {y}" for x, y in run) for run in runs if len(run) > 1)
    dots = [
        Markup('<circle class="dot {}" cx="{}" cy="{}" r="2.5"/>').format(stream, *run[0])
        for run in runs
        if len(run) == 1
    ]
    line = Markup('<path class="line {}" d="{}"/>').format(stream, path) if path else Markup("")
    return line + _JOIN.join(dots)


def _hovers(frame: _Frame, rows: Rows, opened: float) -> Markup:
    """Invisible columns that say what they show when pointed at; at most one per four units of width."""
    each = -(-len(rows.seconds) // (frame.width // 4))
    picked = range(0, len(rows.seconds), each)
    edges = [frame.x(rows.seconds[i]) for i in picked]
    out = []
    for position, i in enumerate(picked):
        before = edges[position - 1] if position else edges[0] - 4
        after = edges[position + 1] if position + 1 < len(edges) else edges[-1] + 4
        left, right = (before + edges[position]) / 2, (after + edges[position]) / 2
        said = " · ".join(f"{stream} {whole(getattr(rows, stream)[i])}" for stream in STREAMS)
        out.append(
            Markup('<rect class="hover" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                round(left, 1),
                TOP,
                round(right - left, 1),
                frame.height - TOP - BOTTOM,
                f"{time_of_day(opened + rows.seconds[i])} UTC · {said}",
            )
        )
    return _JOIN.join(out)


def _flags(frame: _Frame, flags: Sequence[Flag]) -> Markup:
    """Numbered marks; those too close to be told apart share one."""
    groups: list[list[Flag]] = []
    for flag in sorted(flags, key=lambda one: one.seconds):
        if groups and frame.x(flag.seconds) - frame.x(groups[-1][0].seconds) < 26:
            groups[-1].append(flag)
        else:
            groups.append([flag])
    return _JOIN.join(_flag(frame, group) for group in groups)


def _flag(frame: _Frame, group: Sequence[Flag]) -> Markup:
    x = frame.x(group[0].seconds)
    numbers = str(group[0].number) if len(group) == 1 else f"{group[0].number}–{group[-1].number}"
    wide = 20 if len(numbers) == 1 else 12 + 7 * len(numbers)
    middle = min(max(x, LEFT - 20 + wide / 2), frame.width - wide / 2 - 1)
    return Markup(
        '<g class="flag"><title>{}</title><line x1="{x}" x2="{x}" y1="{}" y2="{}"/>'
        '<rect x="{}" y="{}" width="{}" height="18" rx="9"/><text x="{}" y="{}" text-anchor="middle">{}</text></g>'
    ).format(
        "; ".join(f"{flag.number}: {flag.text}" for flag in group),
        TOP - 12,
        frame.height - BOTTOM,
        round(middle - wide / 2, 1),
        TOP - 28,
        wide,
        round(middle, 1),
        TOP - 15,
        numbers,
        x=x,
    )


def reduction_plot(found: Reduction, *, width: int = 960) -> Markup:
    """The reduction, its interval if there is one, and the target, from 0 (or below) to 100 %."""
    height, side = 112, 22
    low = found.low if found.low is not None else found.value
    bottom = 0.0 if low is None or low >= 0 else max(-1.0, round(low * 5 - 0.5) / 5)
    span = 1.0 - bottom

    def x(share: float) -> float:
        return round(side + (min(max(share, bottom), 1.0) - bottom) / span * (width - 2 * side), 1)

    ticks = [bottom + i * span / 5 for i in range(6)] if bottom else [i / 4 for i in range(5)]
    parts = [
        Markup('<rect class="track" x="{}" y="40" width="{}" height="26" rx="4"/>').format(
            x(bottom), x(1.0) - x(bottom)
        ),
        *(
            Markup('<text class="tick" x="{}" y="86" text-anchor="middle">{}</text>').format(x(tick), percent(tick, 0))
            for tick in ticks
        ),
    ]
    wanted = "no target"
    if found.target is not None:
        goal, wanted = x(found.target), f"target {percent(found.target, 0)}"
        area = Markup('<rect class="wanted" x="{}" y="40" width="{}" height="26" rx="4"/>')
        parts.insert(1, area.format(goal, x(1.0) - goal))
        parts.append(Markup('<line class="target" x1="{x}" x2="{x}" y1="32" y2="70"/>').format(x=goal))
        parts.append(_label(goal, width, wanted, "target-name", 106))
    if found.low is not None and found.high is not None:
        left, wide = x(found.low), max(x(found.high) - x(found.low), 3)
        parts.append(Markup('<rect class="interval" x="{}" y="44" width="{}" height="18" rx="3"/>').format(left, wide))
    about = f"{wanted}, not measured yet"
    if found.value is not None:
        point = x(found.value)
        name = percent(found.value)
        parts.append(Markup('<line class="estimate" x1="{x}" x2="{x}" y1="36" y2="70"/>').format(x=point))
        if found.low is not None and found.high is not None:
            name = f"{name}   [{interval(found.low, found.high)}]"
        parts.append(_label(point, width, name, "estimate-name", 24))
        about = f"reduction {name}, {wanted}"
    return _picture(width, height, about, parts)


def _label(x: float, width: int, text: str, style: str, y: int) -> Markup:
    """A label at x that stays inside the picture."""
    half = len(text) * 3.8
    anchor, at = (
        ("start", max(x, 4.0)) if x < half else ("end", min(x, width - 4.0)) if x > width - half else ("middle", x)
    )
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        style, round(at, 1), y, anchor, text
    )
