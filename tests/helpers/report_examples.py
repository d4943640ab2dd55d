"""Entries of an overview, and texts that try to be markup."""

from rupture_repair.disclosure.gate import Gate
from rupture_repair.report.index_page import index_entry

FAILURE = {
    "dataset": "clinic",
    "step": "check",
    "problems": [
        "E203 a.csv, row 41: 9.5 is outside 0..10.",
        "E101 b.csv: the file does not exist.",
    ],
    "traceback": "",
    "log": "logs/clinic/check.log",
}

#: The same as its report says it, which shows no cell.
SAID = ("E203 a.csv, row 41: … is outside ….", FAILURE["problems"][1])

ODD = [
    "<script>alert(1)</script><b>bold</b> &amp; <img src=x onerror=alert(1)>",
    "# heading *star* _under_ `code` [link](http://evil.example) ![i](http://evil.example/x.png)",
    "$x^2$ \\textbf{tex} \\begin{equation} {#id .class} ::: {.banner}",
    "`a | b` | c ` d | \\` e",
    "| pipe | table | ~~~ ``` --- | ^sup^ ~sub~ @cite [^1] (c) ... 'quotes' \"double\"",
    "שלום עולם, \u202eright to left",
    "😀👩‍👩‍👧 emoji 漢字 é",
    "1. first\n\n2. second\n\n- item\n\n    code",
    "<< measure >> <% if true %> {{ x }} <# c #>",
    "---\ntitle: other\n---",
    "x" * 300,
    "word " * 60,
]


def entry(made, **changes):
    keys = ("dataset", "measures", "detection", "estimates", "sessions", "config")
    return index_entry(*(made[key] for key in keys), Gate()) | changes
