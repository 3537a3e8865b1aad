"""What editors say of a site: told to readers, weighed in the order, and for an excluded one obeyed everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import build_data, built, make_answer, write_corpus
from hypothesis import given
from hypothesis import strategies as st

from indexer import Engine, Query, build_generation, list_trust, open_engine, read_acts, set_trust, trust_history
from indexer.errors import RefusedDecision
from indexer.records import SourceTrust, TrustState
from indexer.store.generations import roll_back
from indexer.store.source_trust import TrustEntry, site_key, trust_of
from indexer.verdicts import Reason
from webapp.cli import main

ASKED = "面肌痉挛怎么治"


def page(id_: str, site: str, text: str = "面肌痉挛可以打肉毒素，效果维持几个月。") -> Any:
    return make_answer(id_, ASKED, f"{text}（{id_}）", url=f"https://{site}/{id_}.html")


#: nearly the same texts, so that trust decides their order
ANSWERS = [
    page("a1", "one.example.com"),
    page("a2", "two.example.net"),
    page("a3", "www.three.example.org"),
    page("a4", "m.three.example.org"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_data(tmp_path_factory.mktemp("trust"), ANSWERS)


@pytest.fixture
def data(shared: Path) -> Path:
    (shared / "state.sqlite3").unlink(missing_ok=True)
    return shared


@pytest.fixture
def engine(data: Path) -> Engine:
    return open_engine(data)


def say(data: Path, site: str, state: str | None, evidence: str = "查过", link: str = "") -> TrustEntry:
    return set_trust(data, site, TrustState(state) if state else None, evidence, link, "bianji")


def ids(engine: Engine, **asked: Any) -> list[str]:
    return [hit.answer.id for hit in engine.search(Query(ASKED, **asked)).hits]


def test_nothing_is_said_where_nobody_has_said_anything(engine: Engine) -> None:
    assert [hit.trust for hit in engine.search(ASKED).hits] == [None] * 4
    assert engine.source_trust("one.example.com") is None is engine.source_trust(None)


def test_trust_raises_and_doubt_lowers_at_once_and_both_are_told(engine: Engine, data: Path) -> None:
    before, state = ids(engine), engine.state
    last, first = before[-1], before[0]
    sites = {answer.id: str(answer.url).split("/")[2] for answer in ANSWERS}
    say(data, sites[last], "trusted", "医院主办", "https://example.com/about")
    assert engine.state != state
    assert ids(engine)[0] == last
    [told] = [hit.trust for hit in engine.search(ASKED).hits if hit.answer.id == last]
    assert told == SourceTrust(sites[last], TrustState.TRUSTED, "医院主办", "https://example.com/about")
    assert engine.search(ASKED).as_dict()["hits"][0]["source_trust"] == {
        "site": sites[last],
        "state": "trusted",
        "evidence": "医院主办",
        "link": "https://example.com/about",
    }
    say(data, sites[last], None, "到期")
    assert ids(engine) == before and engine.state == state
    say(data, sites[first], "doubtful")
    assert ids(engine)[-1] == first
    say(data, sites[first], "normal")
    assert ids(engine) == before
    [hit] = [hit for hit in engine.search(ASKED).hits if hit.answer.id == first]
    assert hit.trust is not None and hit.trust.state is TrustState.NORMAL


def test_trust_does_not_count_in_evaluation_unless_it_is_asked_for(engine: Engine, data: Path) -> None:
    before = engine.retrieve(ASKED, 10)
    say(data, "example.net", "doubtful")
    assert engine.retrieve(ASKED, 10) == before
    assert engine.retrieve(ASKED, 10, trusting=True) != before


def test_answers_without_a_site_are_neither_raised_nor_lowered(tmp_path: Path) -> None:
    homeless = [make_answer(f"h{n}", ASKED, f"面肌痉挛也可以手术减压，风险是听力下降。（{n}）") for n in range(4)]
    data = build_data(tmp_path, [*homeless, page("a1", "one.example.com")])
    engine = open_engine(data)
    before = {hit.answer.id: hit.score for hit in engine.search(ASKED).hits}
    assert any(id_.startswith("h") for id_ in before)
    say(data, "one.example.com", "doubtful")
    after = {hit.answer.id: hit.score for hit in engine.search(ASKED).hits}
    assert after.keys() == before.keys()
    assert all((after[id_] < before[id_]) is (id_ == "a1") for id_ in before)


def test_a_domain_speaks_for_those_below_it_unless_they_have_their_own(engine: Engine, data: Path) -> None:
    say(data, "three.example.org", "excluded")
    assert set(ids(engine)) == {"a1", "a2"}
    say(data, "m.three.example.org", "normal", "已经另作检查")
    assert set(ids(engine)) == {"a1", "a2", "a4"}
    say(data, "m.three.example.org", None, "不再另作检查")
    assert set(ids(engine)) == {"a1", "a2"}
    assert engine.source_trust("www.three.example.org") is not None
    assert engine.source_trust("otherthree.example.org") is None


def test_an_excluded_site_is_hidden_everywhere_and_still_counted_for_editors(engine: Engine, data: Path) -> None:
    say(data, "one.example.com", "excluded")
    assert engine.answer("a1") is None and "a1" not in ids(engine)
    assert engine.search(Query(ASKED, site="one.example.com")).total == 0
    assert engine.site_counts()["one.example.com"] == 1
    topic = engine.topic("面肌痉挛")
    assert topic is not None
    assert "a1" not in {hit.answer.id for section in topic.sections for hit in section.hits}


def test_an_excluded_site_is_not_built_and_no_loss_to_the_gate_and_hidden_in_older_generations(tmp_path: Path) -> None:
    data = build_data(tmp_path, ANSWERS)
    say(data, "three.example.org", "excluded", "抄袭")
    report = built(tmp_path, ANSWERS)
    assert list(report.manifest.objections) == []
    assert [(item.reason, item.detail) for item in report.rejected] == [
        (Reason.TAKEN_DOWN, "来源 www.three.example.org 已设为不收录。"),
        (Reason.TAKEN_DOWN, "来源 m.three.example.org 已设为不收录。"),
    ]
    assert report.manifest.counts["answers"] == 2
    assert roll_back(data).generation == "gen-000001"
    assert set(ids(open_engine(data))) == {"a1", "a2"}


def test_an_update_leaves_excluded_pages_out_and_takes_them_in_again(tmp_path: Path) -> None:
    data = tmp_path / "data"

    def update() -> set[str]:
        corpus = write_corpus(tmp_path / "corpus", ANSWERS)
        build_generation(corpus, data, update=True)
        return {answer.id for answer in open_engine(data).answers()}

    assert update() == {"a1", "a2", "a3", "a4"}
    say(data, "example.net", "excluded")
    assert update() == {"a1", "a3", "a4"}
    say(data, "example.net", "normal")
    assert update() == {"a1", "a2", "a3", "a4"}


# what is kept


@pytest.mark.parametrize(
    ("site", "evidence", "link", "sentence"),
    [
        ("", "查过", "", "请写明网站"),
        ("a" * 254, "查过", "", "请写明网站"),
        ("com.cn", "查过", "", "共用的后缀"),
        ("a.com", " ", "", "请写明依据"),
        ("a.com", "长" * 501, "", "依据太长"),
        ("a.com", "查过", "http://b.com", "https://"),
        ("a.com", "查过", "javascript:alert(1)", "https://"),
        ("a.com", "查过", "https://", "https://"),
        ("a.com", "查过", "https://b.com/" + "x" * 1000, "https://"),
    ],
)
def test_what_cannot_be_said_is_refused(tmp_path: Path, site: str, evidence: str, link: str, sentence: str) -> None:
    with pytest.raises(RefusedDecision, match=sentence):
        say(tmp_path, site, "trusted", evidence, link)
    with pytest.raises(RefusedDecision, match="不用撤销"):
        say(tmp_path, "a.com", None)
    assert list_trust(tmp_path) == {} and read_acts(tmp_path) == []


def test_the_history_is_kept_and_logged(tmp_path: Path) -> None:
    say(tmp_path, "https://WWW.Example.com:8080/x", "doubtful", "广告多")
    say(tmp_path, "www.example.com", "trusted", "改好了")
    say(tmp_path, "www.example.com", None, "不再评")
    assert [(entry.label, entry.evidence) for entry in trust_history(tmp_path, "WWW.example.com.")] == [
        ("撤销评定", "不再评"),
        ("可靠", "改好了"),
        ("存疑", "广告多"),
    ]
    assert list_trust(tmp_path) == {}
    acts = read_acts(tmp_path)
    assert [(act.action, act.object) for act in acts] == [("评定来源", "www.example.com")] * 3
    assert "存疑 改为 可靠" in acts[1].detail


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Example.COM", "example.com"),
        (" example.com/path?q=1 ", "example.com"),
        ("http://Example.com:80/a", "example.com"),
        ("example.com.", "example.com"),
        ("有问必答/内科", "有问必答/内科"),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_a_site_is_known_by_its_host_or_its_name(written: str, key: str) -> None:
    assert site_key(written) == key


labels = st.sampled_from(["a", "b", "www", "example", "com", "cn"])
hosts = st.lists(labels, min_size=1, max_size=5).map(".".join)


@given(hosts, st.dictionaries(hosts, st.sampled_from(TrustState), max_size=4))
def test_the_nearest_domain_speaks(host: str, said: dict[str, TrustState]) -> None:
    entries = {site: TrustEntry(site, state, "查过", "", "o", "t") for site, state in said.items()}
    speaking = [site for site in said if host == site or (host.endswith(f".{site}") and "." in site)]
    found = trust_of(host, entries)
    assert (found.site if found else None) == max(speaking, key=len, default=None)


def test_the_command_line_does_the_same(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--data", str(data)]
    assert main(["trust", "set", "three.example.org", "excluded", "--evidence", "抄袭", *at]) == 0
    assert main(["trust", "list", "--json", *at]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["site"], listed["state"], listed["evidence"], listed["answers"]) == (
        "three.example.org",
        "excluded",
        "抄袭",
        0,
    )
    assert main(["trust", "list", "--sites", "--json", *at]) == 0
    assert {row["site"]: row["answers"] for row in json.loads(capsys.readouterr().out)}["m.three.example.org"] == 1
    assert main(["search", ASKED, "--json", *at]) == 0
    assert {hit["id"] for hit in json.loads(capsys.readouterr().out)["hits"]} == {"a1", "a2"}
    assert main(["trust", "set", "three.example.org", "none", "--evidence", "改好了", *at]) == 0
    assert main(["trust", "history", "three.example.org", "--json", *at]) == 0
    assert [entry["state"] for entry in json.loads(capsys.readouterr().out)] == [None, "excluded"]
    assert main(["trust", "set", "com.cn", "trusted", "--evidence", "x", *at]) == 1
    assert "共用的后缀" in capsys.readouterr().err
