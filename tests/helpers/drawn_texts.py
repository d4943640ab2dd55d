"""Where the texts of a figure are."""

from matplotlib.text import Text


def texts_outside(figure):
    """Texts that are drawn but do not lie wholly on the page."""
    figure.draw_without_rendering()
    page = figure.bbox.padded(1)
    ticks = {
        label: low - 1e-9 <= tick.get_loc() <= high + 1e-9
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for low, high in [sorted(axis.get_view_interval())]
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
    }
    drawn = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text() and ticks.get(text, True)
    ]
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn]
    return [
        text
        for text, box in boxes
        if not (page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))
    ]
