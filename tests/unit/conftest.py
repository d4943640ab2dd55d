"""What makes unit tests quick: coarse pictures, and few courses where a k is solved on the way."""

import pytest

#: Dots per inch of pictures: most of the time of a figure is its painting. The demo has all 300.
DPI = 30

#: Simulated courses on which a k is solved, where a test does not look at the k itself.
COURSES = 2_000


@pytest.fixture(autouse=True, scope="session")
def coarse_pictures():
    from rupture_repair.figures.style import STYLE

    shipped = STYLE["savefig.dpi"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STYLE, "savefig.dpi", DPI)
        yield shipped


@pytest.fixture
def pictures_as_shipped(coarse_pictures, monkeypatch):
    from rupture_repair.figures.style import STYLE

    monkeypatch.setitem(STYLE, "savefig.dpi", coarse_pictures)


@pytest.fixture
def roughly_calibrated(monkeypatch):
    from rupture_repair.chance import calibrate

    monkeypatch.setattr(calibrate, "CALIBRATION_COURSES", COURSES)


@pytest.fixture
def quickly_planned(monkeypatch, roughly_calibrated):
    """The k and the reliability of a plan are found on few courses."""
    from rupture_repair.power import preparation

    monkeypatch.setattr(preparation, "COURSES", 200)
