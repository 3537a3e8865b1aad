"""Pictures of reports as SVG, for an <img>: no script, no other file, readable in the light and in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from webapp.report_list import Report
from webapp.reports import Row

#: text, lines and what is drawn, by theme; contrasts of 4.5 : 1 and more on the site's backgrounds
_COLOURS = {"light": ("#333333", "#767676", "#0b6e4f"), "dark": ("#e6e6e6", "#9a9a9a", "#5fd3a8")}
_WIDTH, _LINE_HEIGHT, _BAR_HEIGHT, _EDGES_HEIGHT = 720, 260, 26, 60
_MAX_BARS = 20
_DAY_LABELS = 8
_FONT_SIZE, _MARGIN = 13, 20


def picture(report: Report, rows: Sequence[Row], theme: str) -> str:
    """An SVG of what `report.picture` says, of the column `report.drawn`. `theme`: "light" or "dark"."""
    import pygal
    from pygal.style import Style

    text, lines, drawn = _COLOURS[theme]
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground=text,
        foreground_strong=text,
        foreground_subtle=lines,
        guide_stroke_color=lines,
        major_guide_stroke_color=lines,
        colors=(drawn,),
        font_family="sans-serif",
        label_font_size=_FONT_SIZE,
        major_label_font_size=_FONT_SIZE,
    )
    common: dict[str, Any] = {"style": style, "show_legend": False, "js": (), "width": _WIDTH}
    if report.picture == "line":
        chart = pygal.Line(
            height=_LINE_HEIGHT,
            dots_size=2,
            show_minor_x_labels=False,
            include_x_axis=True,
            truncate_label=-1,
            **common,
        )
        labels = [str(row[0]).removeprefix(f"{str(rows[0][0])[:4]}-") for row in rows]
        chart.x_labels = labels
        chart.x_labels_major = labels[:: max(-(-len(labels) // _DAY_LABELS), 1)]
    else:
        rows = rows[:_MAX_BARS]
        height = _EDGES_HEIGHT + _BAR_HEIGHT * max(len(rows), 1)
        rows = [*reversed(rows)]  # the library draws from the bottom up
        labels = [str(row[0]) for row in rows]
        # the library leaves .6 of a character's height for each, as Latin letters are wide
        missing = 0.4 * _FONT_SIZE * max(map(len, labels), default=0)
        chart = pygal.HorizontalBar(height=height, truncate_label=-1, margin_left=_MARGIN + missing, **common)
        chart.x_labels = labels
    chart.add(report.columns[report.drawn].label, [row[report.drawn] for row in rows])
    drawing = chart.render_tree()
    for script in [*drawing.iter("{*}script")]:  # for its own pages; an image runs none
        script.getparent().remove(script)
    markup: str = etree.tostring(drawing, encoding="unicode")
    return markup


def described(report: Report, rows: Sequence[Row]) -> str:
    """The picture in words: what is drawn, from where to where; the table beneath has all of it."""
    label = report.columns[report.drawn].label
    values = [(value, str(row[0])) for row in rows if isinstance(value := row[report.drawn], int | float)]
    if not values:
        return f"{report.title}：没有数据"
    (most, at_most), (least, at_least) = max(values), min(values)
    return f"{report.title}图：{label}最多 {most:,}（{at_most}），最少 {least:,}（{at_least}）；数字见下表"
