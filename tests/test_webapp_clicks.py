"""Clicks: from a list of results to an answer or its original, noted with the search and the rank, and nothing else."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.log_store.reading import Period
from webapp.query_log import QueryLog

LINKS = re.compile(r'href="(/answers/[^"?]+)(/source)?\?(?:[^"]*&amp;)?at=([0-9a-f]+)-([0-9]+)')


def log_of(app: Flask) -> QueryLog:
    log: QueryLog = app.extensions["yiwen"].query_log
    return log


def links(page: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="(/answers/[^"]*at=[^"]*)"', page)]


def test_a_click_says_which_search_and_which_rank(app: Flask, client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    page.close()
    answer = next(link for link in links(page.text) if "/source" not in link)
    client.get(answer).close()
    [event], [click] = log_of(app).read_events(), log_of(app).read_clicks()
    assert (click.token, click.rank, click.answer_id, click.target) == (event.token, 1, event.shown[0][0], "answer")


def test_a_click_on_the_original_is_one_too(app: Flask, client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    page.close()
    original = next(link for link in links(page.text) if "/source" in link)
    response = client.get(original)
    response.close()
    assert response.status_code == 302
    [click] = log_of(app).read_clicks()
    assert click.target == "source" and click.rank == 1


def test_each_page_marks_its_own_search(client: FlaskClient) -> None:
    marks = [LINKS.search(client.get("/search?q=面肌痉挛").text) for _ in range(2)]
    assert marks[0] and marks[1] and marks[0][3] != marks[1][3]


def test_where_nothing_is_noted_nothing_is_marked(client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    answer = links(page.text)[0].partition("?")[0]
    assert links(client.get(answer).text) == [] and links(client.get("/").text) == []


@pytest.mark.parametrize("mark", ["", "1", "xyz-1", "1-99999", "-1", "1-", "f" * 17 + "-1", "1-1x", "1-1 ", "１-1"])
def test_a_mark_that_is_none_is_nothing(app: Flask, client: FlaskClient, mark: str) -> None:
    page = client.get("/search?q=面肌痉挛")
    answer = links(page.text)[0].partition("?")[0]
    response = client.get(answer, query_string={"at": mark})
    response.close()
    assert response.status_code == 200 and log_of(app).read_clicks() == []


def test_a_made_up_mark_is_kept_and_counts_for_no_search(app: Flask, client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    page.close()
    client.get(links(page.text)[0].partition("?")[0], query_string={"at": "abc-1"}).close()
    [click] = log_of(app).read_clicks()
    assert click.token == 0xABC
    with log_of(app).reader(1) as days:
        assert days is not None
        today = log_of(app).read_events()[0].time.date()
        assert days.total(Period(today, today)).clicked == 0


def test_a_browser_that_guesses_and_a_program_that_looks_are_no_readers(app: Flask, client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    page.close()
    link = links(page.text)[0]
    client.get(link, headers={"Sec-Purpose": "prefetch"}).close()
    client.head(link).close()
    assert log_of(app).read_clicks() == []


def test_the_mark_does_not_stay_in_addresses(client: FlaskClient) -> None:
    page = client.get("/search?q=面肌痉挛")
    answer = client.get(links(page.text)[0]).text
    assert "at=" not in "".join(re.findall(r'(?:href|value)="([^"]*)"', answer))
