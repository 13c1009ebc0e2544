"""Bar charts as SVG."""

import xml.etree.ElementTree as ET

import pytest

from reports.charts import Bar, draw_bars, draw_columns

SVG = "{http://www.w3.org/2000/svg}"
BARS = [Bar("Мүйіз", 200, "200 kg", link="/stock/?term=HOR"), Bar("<Ет & май>", 50, "50 kg", tone="other")]


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314


@pytest.mark.parametrize("draw", [draw_bars, draw_columns])
def test_a_chart_names_itself_and_escapes_what_it_is_given(draw) -> None:  # type: ignore[no-untyped-def]
    root = parse(draw(BARS, name="stock", title="Stock & more", description="By term"))

    assert root.attrib["aria-labelledby"] == "stock-title stock-desc"
    assert root.findtext(f"{SVG}title") == "Stock & more"
    assert root.findtext(f"{SVG}desc") == "By term"
    assert root.attrib["role"] == "group"
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    assert "<Ет & май>" in texts
    assert "200 kg" in texts


def test_bars_start_at_zero_and_keep_their_proportion() -> None:
    root = parse(draw_bars(BARS, name="a", title="t", description="d"))

    bars = [rect for rect in root.iter(f"{SVG}rect") if "chart-bar" in rect.attrib["class"]]
    assert [(bar.attrib["x"], bar.attrib["width"]) for bar in bars] == [("0", "100.00%"), ("0", "25.00%")]


def test_a_long_label_folds_before_it_reaches_its_value() -> None:
    label = "мүйіз, табылған, табиғи өлім-жітім"
    root = parse(draw_bars([Bar(label, 2, "0,922 кг"), *BARS], name="a", title="t", description="d"))

    text = next(root.iter(f"{SVG}text"))
    lines = [(float(line.attrib["y"]), line.text or "") for line in text.iter(f"{SVG}tspan")]
    assert "".join(text.itertext()) == label
    assert max(len(line) for _, line in lines) + len("0,922 кг") < 34
    tracks = [rect for rect in root.iter(f"{SVG}rect") if rect.attrib["class"] == "chart-track"]
    assert max(y for y, _ in lines) < float(tracks[0].attrib["y"])
    bottom = float(tracks[-1].attrib["y"]) + float(tracks[-1].attrib["height"])
    assert bottom < float(root.attrib["height"])


def test_columns_stand_on_the_axis() -> None:
    root = parse(
        draw_columns([Bar(str(day), day, str(day)) for day in range(20)], name="a", title="t", description="d")
    )

    axis = float(root.find(f"{SVG}line").attrib["y1"])  # type: ignore[union-attr]
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.attrib["y"]) + float(bar.attrib["height"]) == pytest.approx(axis, abs=0.11)


def test_nothing_to_draw_is_no_error() -> None:
    assert parse(draw_bars([], name="a", title="t", description="d")).attrib["role"] == "img"
    assert parse(draw_columns([Bar("x", 0, "0")], name="a", title="t", description="d")) is not None


def test_a_negative_bar_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        draw_bars([Bar("x", -1, "-1")], name="a", title="t", description="d")
