"""The charts of the explorer as Vega-Lite, and the JavaScript that draws them.

A chart names its data; the page gives them. The measure, which differs between datasets, stands for
itself (``@measure``) until the page puts its name in.
"""

from typing import Any

from ..project.optional_parts import optional

INK, QUIET, BLUE, ORANGE, SKY, GREY = (
    "#1a1a1a", "#5a5a5a", "#0072B2", "#D55E00", "#56B4E9", "#b4b4b4",
)  # fmt: skip

#: What the page calls. The bundle's own names for Vega and Vega-Lite are empty.
SNIPPET = "window.vegaEmbed = vegaEmbed;"


def _status(alt: Any) -> Any:
    """Colours of what became of an episode, as in the figures of the report."""
    scale = alt.Scale(domain=["repaired", "unrepaired", "censored"], range=[SKY, ORANGE, GREY])
    return alt.Color("status:N", scale=scale, legend=None)


def _finished(alt: Any, chart: Any, height: int | str) -> dict[str, Any]:
    look = {
        "font": "system-ui, 'Noto Sans', 'Liberation Sans', Arial, sans-serif",
        "background": "transparent",
        "view": {"stroke": None},
        "aria": False,  # the page describes each chart in words of its own
        "axis": {
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
            "titleLimit": 260, "labelColor": QUIET, "titleColor": INK, "gridColor": "#eceff0",
            "domainColor": QUIET, "tickColor": QUIET,
        },
        "legend": {"labelFontSize": 12, "labelLimit": 220, "orient": "top", "title": None},
    }  # fmt: skip
    chart = chart.properties(width="container", height=height).configure(**look)
    content = chart.to_dict()
    # Names of data sources alone: altair adds no rows, and the page fills them in.
    content.pop("datasets", None)
    return content


def _by_k(alt: Any) -> dict[str, Any]:
    """Episodes observed and expected, against k."""
    data = alt.Chart(alt.NamedData(name="by_k"))
    k = alt.X("k:Q", title="k", scale=alt.Scale(zero=False, nice=False))
    names = ["observed", "by noise alone"]
    colour = alt.Color("what:N", scale=alt.Scale(domain=names, range=[BLUE, QUIET]))
    dash = alt.StrokeDash("what:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 4]]))
    shape = alt.Shape("what:N", scale=alt.Scale(domain=names, range=["circle", "square"]))
    title = alt.Y("value:Q", title="episodes", scale=alt.Scale(zero=True))
    line = data.mark_line().encode(x=k, y=title, color=colour, strokeDash=dash)
    points = data.mark_point(filled=True, size=45, opacity=1).encode(
        x=k, y=title, color=colour, shape=shape
    )
    noise = data.transform_filter("datum.what == 'by noise alone'")
    band = noise.mark_area(opacity=0.15, color=QUIET).encode(x=k, y="low:Q", y2="high:Q")
    now = alt.Chart(alt.NamedData(name="now")).mark_rule(color=INK, strokeWidth=1).encode(x="k:Q")
    return _finished(alt, alt.layer(band, now, line, points), 220)


def _overview(alt: Any) -> dict[str, Any]:
    """Every course as a line, its episodes as bars."""
    session = alt.X(
        "from:Q", title="session", axis=alt.Axis(orient="top", tickMinStep=1, format="d"),
        scale=alt.Scale(zero=False, nice=False, padding=6),
    )  # fmt: skip
    row = alt.Y(
        "row:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, zero=False, padding=6)
    )
    courses = alt.Chart(alt.NamedData(name="courses")).encode(x=session, x2="to:Q", y=row)
    episodes = alt.Chart(alt.NamedData(name="episodes")).encode(x=session, x2="to:Q", y=row)
    chosen = alt.Chart(alt.NamedData(name="chosen")).encode(x=session, x2="to:Q", y=row)
    layers = alt.layer(
        chosen.mark_rule(strokeWidth=11, color="#ffe08a", strokeCap="round"),
        courses.mark_rule(strokeWidth=2, color="#dfe4e8"),
        episodes.mark_rule(strokeWidth=6).encode(color=_status(alt)),
        courses.mark_rule(strokeWidth=8, opacity=0, cursor="pointer"),
    )
    return _finished(alt, layers, 400)


def _course(alt: Any) -> dict[str, Any]:
    """One course: ratings, reference, threshold and episodes."""
    session = alt.X(
        "session:Q", title="session", axis=alt.Axis(tickMinStep=1, format="d"),
        scale=alt.Scale(zero=False, nice=False, padding=12),
    )  # fmt: skip

    def level(name: str) -> Any:
        return alt.Y(f"{name}:Q", title="@measure", scale=alt.Scale(zero=False, padding=8))

    data = alt.Chart(alt.NamedData(name="ratings"))
    shade = alt.Chart(alt.NamedData(name="shades")).mark_rect(opacity=0.35)
    layers = alt.layer(
        shade.encode(x=alt.X("from:Q", title="session"), x2="to:Q", color=_status(alt)),
        data.mark_line(color=QUIET, strokeWidth=1).encode(x=session, y=level("reference")),
        data.mark_line(color=ORANGE, strokeWidth=1, strokeDash=[5, 4]).encode(
            x=session, y=level("threshold")
        ),
        data.mark_line(color=INK, strokeWidth=1.5).encode(x=session, y=level("rating")),
        data.mark_point(color=INK, filled=True, size=40, opacity=1).encode(
            x=session, y=level("rating")
        ),
    )
    return _finished(alt, layers, 260)


def charts() -> dict[str, dict[str, Any]]:
    """Return the charts as Vega-Lite, checked against its schema: by_k, overview and course."""
    alt = optional("altair")

    return {"by_k": _by_k(alt), "overview": _overview(alt), "course": _course(alt)}
