"""Words of the glossary explain themselves in reports, and nothing else changes."""

import html
import re

import pytest

from rupture_repair.project.glossary import glossary
from rupture_repair.report.tooltips import with_tooltips


def page(*paragraphs):
    return "<p>The onset before.</p><main>" + "".join(paragraphs) + "</main>"


def test_the_first_of_each_word_in_a_section_is_explained():
    shown = with_tooltips(
        page("<p>Ruptures; a rupture.</p>", "<h2>Nadir</h2>", "<p>One rupture.</p>")
    )
    meaning = next(word.meaning for word in glossary() if word.name == "rupture")
    assert shown.count(f'<abbr title="{html.escape(meaning)}">') == 2
    assert ">Ruptures</abbr>; a rupture." in shown
    assert "<h2>Nadir</h2>" in shown
    assert shown.startswith("<p>The onset before.</p>")


@pytest.mark.parametrize(
    "text",
    ["<code>rupture</code>", '<a href="#rupture">the rupture</a>', "<bdi>Rupture</bdi>",
     '<img alt="rupture">', '<span dir="auto">Rupture study</span>', "post-rupture", "ruptured"],
)  # fmt: skip
def test_names_links_code_and_parts_of_words_are_left_alone(text):
    assert with_tooltips(page(f"<p>{text}</p>")) == page(f"<p>{text}</p>")


def test_the_longest_form_is_explained_and_no_text_changes():
    words = [word.name for word in glossary()] + [f for word in glossary() for f in word.forms]
    plain = page(*(f"<p>So {word}, &lt;b&gt; &amp; {word.upper()}.</p>" for word in words))
    shown = with_tooltips(plain)
    assert re.sub(r"</?abbr[^>]*>", "", shown) == plain
    assert ">reliable change</abbr>" in shown
    assert shown.count("<abbr") == len(glossary())
