"""The page: one file, no network, whatever the names in it; drawn in headless Chromium where there is one."""

import json
import math
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.report import page_data
from recsys.report.asked import Asked
from recsys.report.formats import label, number, p_value, signed
from recsys.report.histories import history, unfinished
from recsys.report.page import embedded, render
from recsys.report.study import load_study
from recsys.report.top_lists import FILE, write_top

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
VOID = {"meta", "link", "br", "wbr", "line", "circle", "input"}


class Tags(HTMLParser):
    """Notes every tag with its attributes, and checks that each that opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(root: Path, **options) -> str:
    return render(load_study(root, metric="ndcg@10"), **{"users": {}} | options)


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def data_of(text: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL).group(1))


def facts(num_users: int = 120) -> Asked:
    """User u had "The Seen" and wants item u modulo 60, called "Film 7"."""
    users = np.arange(num_users)
    columns = {"user": users, "history": users + 3, "item": users % 60, "popularity": users % 5}
    frame = pd.DataFrame(columns).assign(about="Drama", recent=[("The Seen",)] * num_users)
    return Asked(facts=frame, names={str(item): f"Film {item}" for item in range(60)})


def test_the_page_is_whole_and_asks_for_nothing_else(write_study) -> None:
    text = page(write_study(), users={"toy": facts()})
    for tag, attributes in parsed(text).seen:
        assert tag not in {"img", "iframe"}
        assert "src" not in attributes
        assert not attributes.get("href", "#").startswith(("http", "//", "/"))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # a name, never fetched
    assert "@import" not in text


def test_every_model_has_a_line_a_curve_and_its_tests(write_study) -> None:
    text = page(write_study(), users={"toy": facts()})
    block = data_of(text)["blocks"]["b0"]
    assert block["models"] == ["good", "fair", "poor"]
    assert [len(block["curves"]), len(block["pairs"]["rows"])] == [9, 3]
    assert all(sum(row["counts"]) == 120 for row in block["pairs"]["rows"])
    assert block["points"]["coverage"]
    for word in ("Items that every model misses", "by length of the user", "Kendall", "full"):
        assert word in text


def test_without_data_the_page_lacks_strata_only(write_study) -> None:
    text = page(write_study(), notes=["No strata: the data isn't here."])
    assert "No strata: the data isn&#39;t here." in text
    assert "Where models are good" not in text
    assert "Leaderboard" in text


def test_users_who_are_failed_have_a_history_a_list_and_a_wish_by_name(write_study) -> None:
    root = write_study()
    rows = [(user, 7 + place, 1 + place, -float(place)) for user in range(120) for place in range(3)]
    frame = pd.DataFrame(rows, columns=["user", "item", "rank", "score"])
    write_top(root / "toy/poor/seed0" / FILE, frame.sample(frac=1, random_state=0), k=3)
    text = page(root, users={"toy": facts()})
    worst = data_of(text)["blocks"]["b0"]["worst"]
    for row in worst["poor"]:
        wanted = row["user"] % 60
        assert (row["recent"], row["wanted"]) == (["The Seen"], [f"Film {wanted}"])
        assert row["top"] == [[f"Film {item}", item == wanted] for item in (7, 8, 9)]
    assert worst["fair"][0]["top"] == []
    assert "fair/seed0/topk_test.parquet is missing: no lists of fair are shown" in text
    (root / "toy/fair/seed0" / FILE).write_text("half a file")
    assert "fair/seed0/topk_test.parquet can&#39;t be read" in page(root, users={"toy": facts()})


def test_names_and_values_can_neither_end_the_script_nor_become_markup(write_scored, tmp_path: Path) -> None:
    evil = "</script><img onerror=alert(1)>"
    config = {"note": evil}
    write_scored(np.array([0.0, 1.0]), config=config, data="evil")
    file = tmp_path / "evil/sasrec-ce/seed0/run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"name": evil, "environment": {"git": evil}}))
    text = page(tmp_path)
    assert "<img" not in text
    assert data_of(text)["blocks"]["b0"]["models"] == [evil]
    parsed(text)


def test_a_single_run_without_values_per_user_still_has_a_page(write_run, tmp_path: Path) -> None:
    write_run(baselines={})
    text = page(tmp_path)
    assert "There are not two models with values per user" in text
    assert data_of(text)["blocks"]["b0"]["curves"] == []


def test_not_a_number_becomes_null() -> None:
    assert json.loads(embedded({"a": [math.nan, math.inf, 1.0, np.float32(2), np.int64(3)]})) == {
        "a": [None, None, 1.0, 2.0, 3]
    }


def test_numbers_are_short_but_never_wrong() -> None:
    assert [number(0.0812), number(10.5), number(-0.5, 1), number(None), number(math.nan)] == [
        ".0812",
        "10.5000",
        "-.5",
        "\u2013",
        "\u2013",
    ]
    assert [signed(0.01), signed(-0.01), signed(-10.02, 2)] == ["+.0100", "\u2212.0100", "\u221210.02"]
    assert [p_value(0.0005), p_value(0.032), p_value(1)] == ["< .001", ".032", "1"]


@pytest.mark.parametrize(
    ("name", "model", "rest"),
    [
        ("sasrec-ce,model.dim=8", "sasrec-ce", "model.dim=8"),
        ("mf (lr=0.1, l2=0)", "mf", "lr=0.1, l2=0"),
        ("pop", "pop", ""),
    ],
)
def test_a_label_parts_model_and_overrides(name: str, model: str, rest: str) -> None:
    text = str(label(name))
    assert re.sub(r"<small.*", "", text) == model
    assert re.sub(r"<[^>]*>", "", text.removeprefix(model)) == rest


def test_watching_reloads_the_page_and_shows_what_still_runs(write_study) -> None:
    root = write_study()
    (root / "toy/good/seed2/run.json").unlink()
    text = page(root, refresh=20)
    assert '<meta http-equiv="refresh" content="20">' in text
    assert any("not finished" in curve["model"] for curve in data_of(text)["blocks"]["b0"]["curves"])


@pytest.mark.parametrize("log", ["", "epoch,seconds\n1,2\n", "epoch,seconds,val/ndcg@10\n0,1,\n", "\x00\x01", '"'])
def test_a_log_without_a_history_is_no_mistake(tmp_path: Path, log: str) -> None:
    (tmp_path / "metrics.csv").write_text(log)
    assert history(tmp_path, metric="ndcg@10") is None
    assert unfinished(tmp_path) == [tmp_path]


def test_a_half_written_line_is_left_out_and_the_best_so_far_never_falls(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("epoch,seconds,val/ndcg@10\n0,1,.2\n1,2,.1\n2,3,.3\n3,4")
    found = history(tmp_path, metric="ndcg@10")
    assert found == {
        "epoch": [0, 1, 2],
        "seconds": [1, 2, 3],
        "value": [0.2, 0.1, 0.3],
        "best": [0.2, 0.2, 0.3],
        "loss": [],
    }


def test_data_sets_are_ranked_together_where_there_are_several(write_study) -> None:
    root = write_study(("a", "b", "c"))
    diagram = page_data.diagram(load_study(root, metric="ndcg@10"))
    assert diagram is not None
    assert diagram["ranks"] == {"good": 1.0, "fair": 2.0, "poor": 3.0}
    assert diagram["num_data"] == 3
    assert 'data-chart="ranks"' in page(root)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_draws_the_charts_and_nothing_overflows(write_study, tmp_path: Path, width: int) -> None:
    root = write_study(("a", "b"))
    name = "sasrec-ce," + ",".join(f"model.part{number}.dropout=0.1" for number in range(6))
    for seed in range(3):  # a name as long as grids make them
        folder = root / f"a/good/seed{seed}"
        record = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps(record | {"name": name}))
    text = page(root, users={"a": facts()})
    # Chromium's window is at least 500 wide, so the page is looked at in a frame of the width wanted.
    probe = """<script>const failed = []; addEventListener("error", (event) => failed.push(event.message));</script>"""
    after = """<script>document.title = JSON.stringify({failed, charts: [...document.querySelectorAll(".chart")]
        .map((box) => box.querySelectorAll("path,circle,rect").length),
        over: document.documentElement.scrollWidth - innerWidth,
        first: document.querySelector("table.board th").click() || document.querySelector("table.board td").title});
        parent.postMessage(document.title, "*");</script>"""
    (tmp_path / "inner.html").write_text(
        text.replace("<style>", probe + "<style>", 1).replace("</body>", after + "</body>")
    )
    outer = f"""<body><pre id="found"></pre><script>
        addEventListener("message", (event) => document.getElementById("found").append(event.data));
        </script><iframe src="inner.html" width="{width}" height="800" style="border:0"></iframe></body>"""
    (tmp_path / "outer.html").write_text(outer)
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "outer.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = json.loads(unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL).group(1)))
    assert found["failed"] == []
    assert len(found["charts"]) == 8  # four of each data set
    assert all(found["charts"])
    assert found["over"] <= 0
    assert found["first"] == "fair"  # a click on the heading sorts by name
