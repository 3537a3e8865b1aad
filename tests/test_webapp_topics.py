"""Topics, and what the pages make of a real index."""

from __future__ import annotations

import pytest
from builders import build_data, make_answer
from fakes import FACIAL_SPASM, FakeEngine, make_topic
from flask.testing import FlaskClient
from reading import only, page_of, without_own_script, words

from indexer.errors import GenerationMissing
from indexer.settings import Settings
from webapp import create_app
from webapp.reasons import MAX_REASONS
from webapp.topic_pages import ASPECT_QUESTIONS


@pytest.fixture
def with_topic(engine: FakeEngine) -> FakeEngine:
    topic = make_topic()
    engine.topics = dict.fromkeys((topic.name, *topic.other_names), topic)
    return engine


def test_a_topic_tells_what_is_held_by_aspect(client: FlaskClient, with_topic: FakeEngine) -> None:
    page = page_of(client, "/topics/面肌痉挛")
    assert words(only(page, "h1")) == "面肌痉挛"
    assert "收录 2 条回答" in words(page) and "面抽、脸抽筋" in words(only(page, ".names"))
    assert [words(heading) for heading in page.select("section h2")] == ["症状 1 条", "治疗 1 条"]
    assert page.title and "面肌痉挛" not in words(page.title)
    section = page.select("section")[1]
    assert str(only(section, "h3 a")["href"]).startswith(f"/answers/{FACIAL_SPASM.id}?q=面肌痉挛怎么治疗&aspect=治疗")
    assert only(section, ".more a")["href"] == "/search?q=面肌痉挛怎么治疗&aspect=治疗"
    assert all(page.select(f"[id='{str(link['href'])[1:]}']") for link in page.select(".aspects a"))


def test_another_name_leads_to_the_first(client: FlaskClient, with_topic: FakeEngine) -> None:
    response = client.get("/topics/面抽")
    assert response.status_code == 302
    followed = client.get("/topics/面抽", follow_redirects=True)
    assert "收录 2 条回答" in followed.text and followed.request.path == "/topics/面肌痉挛"
    found = client.get("/api/v1/topics/面抽").json
    assert found and found["topic"] == "面肌痉挛" and [part["aspect"] for part in found["sections"]] == ["症状", "治疗"]


@pytest.mark.parametrize("name", ["没有的病", "x" * 5000, "<script>alert(1)</script>", "a/b", "%00"])
def test_an_unknown_topic_offers_the_search(client: FlaskClient, name: str) -> None:
    response = client.get(f"/topics/{name}")
    assert response.status_code == 404
    assert "没有这个主题" in response.text and 'role="search"' in response.text
    assert "<script" not in without_own_script(response.text)
    api = client.get(f"/api/v1/topics/{name}")
    assert api.status_code == 404 and api.json and api.json["error"]["code"] == "not_found"


def test_topics_need_an_index_like_all_else(client: FlaskClient, engine: FakeEngine) -> None:
    engine.failure = GenerationMissing("还没有索引。")
    assert client.get("/topics/面肌痉挛").status_code == 503
    assert client.get("/api/v1/topics/面肌痉挛").status_code == 503


def test_results_lead_to_their_topic_where_its_page_is(client: FlaskClient, engine: FakeEngine) -> None:
    engine.entity = "面肌痉挛"
    assert not page_of(client, "/search?q=面肌痉挛").select(".to-topic")
    engine.topic_name = "面肌痉挛"
    links = page_of(client, "/search?q=面肌痉挛").select(".to-topic a")
    assert [(link["href"], words(link)) for link in links] == [("/topics/面肌痉挛", "看“面肌痉挛”的全部方面")]
    assert not page_of(client, "/search?q=没有的病").select(".to-topic")


# The same from a real index


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    texts = {
        "面肌痉挛怎么治": "面肌痉挛可以用肉毒素注射治疗，效果一般维持三到六个月。",
        "面肌痉挛有哪些症状": "面肌痉挛的症状是一侧眼皮和嘴角不自主地抽动。",
        "面肌痉挛是什么原因引起的": "面肌痉挛多由血管压迫面神经引起。",
        "失眠怎么办": "失眠的人睡前不要看手机，定时起床。",
    }
    answers = [
        make_answer(f"a{place}", question, text, site=f"{place}.example")
        for place, (question, text) in enumerate(texts.items())
    ]
    data = build_data(tmp_path_factory.mktemp("real"), answers)
    return create_app(data, Settings()).test_client()


def test_chips_of_a_real_index_keep_their_word(real: FlaskClient) -> None:
    chips = page_of(real, "/search?q=面肌痉挛").select(".aspects a")
    assert chips
    for link in chips:
        heading = words(only(page_of(real, str(link["href"])), "h1"))
        assert heading.startswith(f"找到 {words(only(link, 'b'))} 条关于")


def test_a_real_topic_is_reached_from_the_results(real: FlaskClient) -> None:
    link = only(page_of(real, "/search?q=面肌痉挛怎么治"), ".to-topic a")
    topic = page_of(real, str(link["href"]))
    assert words(only(topic, "h1")) == "面肌痉挛"
    for more in topic.select("section .more a"):
        assert real.get(str(more["href"])).status_code == 200
    assert real.get("/topics/脸抽筋").status_code == 302
    assert real.get("/topics/房贷").status_code == 404


def test_a_real_result_says_why(real: FlaskClient) -> None:
    why = page_of(real, "/search?q=面肌痉挛怎么治").select("details.why")[0]
    assert "说的是同一种病" in words(why) and 1 < len(why.select("li")) <= MAX_REASONS


def test_every_aspect_of_the_engine_can_be_asked(real: FlaskClient) -> None:
    said = real.get("/api/v1/search?q=面肌痉挛&aspect=八卦").json
    assert said
    assert all(aspect in said["error"]["message"] for aspect in ASPECT_QUESTIONS)
    assert said["error"]["message"].count("、") == len(ASPECT_QUESTIONS) - 1
