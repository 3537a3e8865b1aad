"""The inbox at the desk, with the real app and real small batches: upload, look, take in, build."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk_accounts import fast_hashes, log_in, send, token_in, with_users
from flask import request
from flask.testing import FlaskClient
from inbox_builders import AD, files_below, page, zip_of
from store_builders import small_resources
from waiting import wait_for_job
from werkzeug.test import TestResponse

from indexer import list_batches, list_jobs, open_engine, read_acts
from indexer.cleaning import no_progress
from indexer.inbox.inspecting import inspect_batch
from indexer.settings import Settings, load_settings
from webapp import create_app, inbox_page_views, inbox_pages, uploads
from webapp.auth import Role, require

__all__ = ["fast_hashes"]

FILES = {
    "ya.example/1.html": page("牙龈出血怎么办"),
    "ya.example/2.html": page("牙龈肿痛怎么办", "<script>alert(1)</script>"),
    "<b>x</b>.txt": "<script>alert(2)</script>\n牙痛怎么办\n牙痛应尽早到口腔科检查，多数需要补牙或做根管治疗。\n",
    "r.jsonl": '{"id": "r1", "question": "头痛怎么办", "answer": "多休息，必要时到神经内科就诊。"}\n',
    "z.png": "x",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_hashes: None) -> Settings:
    monkeypatch.setenv("YIWEN_RESOURCES", str(small_resources()))
    (tmp_path / "data").mkdir()
    with_users(tmp_path / "data")
    return replace(load_settings({"data": tmp_path / "data"}), workers=1)


@pytest.fixture
def data(settings: Settings) -> Path:
    return settings.data


@pytest.fixture
def client(data: Path, settings: Settings) -> Iterator[FlaskClient]:
    with create_app(data, settings).test_client() as client:
        log_in(client, "bianji")
        yield client


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Batches are inspected when they come in, without a process of their own."""

    def inspect(data: Path, number: int, actor: str) -> object:
        return inspect_batch(data, number, settings, no_progress)

    monkeypatch.setattr(inbox_pages, "start_inspecting", inspect)


def bring(client: FlaskClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    return send(client, "/desk/inbox", files=[(io.BytesIO(data), name) for name, data in files], **fields)


def bring_zip(client: FlaskClient) -> None:
    assert bring(client, ("网页.zip", zip_of(FILES))).status_code == 303


def test_an_editor_uploads_looks_takes_in_and_builds(client: FlaskClient, data: Path) -> None:
    begun = bring(client, ("网页.zip", zip_of(FILES)), name="口腔")
    assert (begun.status_code, begun.headers["Location"]) == (303, "/desk/inbox/1")
    assert [(job.kind, job.subject, job.actor) for job in list_jobs(data)] == [("inspect", "1", "bianji")]
    assert wait_for_job(data).status == "done"
    shown = client.get("/desk/inbox/1").text
    assert "4 个页面，4 条答案" in shown and "z.png：不是网页" in shown and "口腔" in shown
    assert send(client, "/desk/inbox/1/take", form_on="/desk/inbox/1").headers["Location"].endswith("?done=taken")
    assert "第 1 批：口腔" in client.get("/desk/inbox").text
    assert "只用收件箱里收进的网页" in client.get("/desk/builds").text
    send(client, "/desk/builds", corpus=str((data / "pages").resolve()))
    assert wait_for_job(data).status == "done"
    assert list_jobs(data, kind="build")[0].sentence.startswith("gen-000001：4 条答案")
    assert [hit.answer.id for hit in open_engine(data).search("头痛怎么办").hits][:1] == ["r1"]
    gone = send(client, "/desk/inbox/1/discard", form_on="/desk/inbox/1", reason="采集有误")
    assert gone.headers["Location"] == "/desk/inbox/1?done=removed"
    assert "采集有误" in client.get("/desk/inbox/1?done=removed").text and files_below(data / "pages") == []
    acts = [(act.actor, act.action) for act in read_acts(data)]
    assert [action for _, action in acts[:4]] == ["撤出一批网页", "建立索引", "收进一批网页", "上传到收件箱"]
    assert {actor for actor, _ in acts[:4]} == {"bianji"}


def test_a_page_tells_each_block_with_its_fate_beside_the_original(client: FlaskClient, by_hand: None) -> None:
    bring_zip(client)
    response = client.get("/desk/inbox/1/4")
    shown = response.text
    assert response.headers["Content-Security-Policy"].endswith("; frame-src 'self'")
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert '<iframe sandbox referrerpolicy="no-referrer"' in shown and 'src="/desk/inbox/1/4/original"' in shown
    out = [part for part in shown.split("<li class=") if AD in part.split("</li>")[0]]
    assert out and all(part.startswith('"block out"') and "<strong>去掉</strong>" in part for part in out)
    assert "<strong>保留</strong>：正文" in shown and "ya.example" in shown and "utf-8" in shown
    assert "收录 1 条答案" in shown and "4/4" in shown and 'href="/desk/inbox/1/3"' in shown
    assert "/desk/inbox/1/5" not in shown and client.get("/desk/inbox/1/5").status_code == 404


def test_scraped_text_is_only_text(client: FlaskClient, by_hand: None) -> None:
    bring_zip(client)
    for address in ("/desk/inbox/1", "/desk/inbox/1/1", "/desk/inbox/1/4"):
        shown = client.get(address).text
        assert "<b>x</b>" not in shown and "<script>alert" not in shown
    assert "&lt;b&gt;x&lt;/b&gt;.txt" in client.get("/desk/inbox/1").text
    dump = client.get("/desk/inbox/1/1/original")
    assert dump.content_type == "text/plain; charset=utf-8" and "<script>alert(2)" in dump.text


def test_the_original_is_inert_and_forbidden_to_act(client: FlaskClient, by_hand: None) -> None:
    bring_zip(client)
    original = client.get("/desk/inbox/1/4/original")
    policy = original.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'"} <= set(policy)
    assert original.headers["X-Content-Type-Options"] == "nosniff"
    assert original.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert original.headers["Referrer-Policy"] == "no-referrer"
    assert original.headers["Cache-Control"] == "private, no-store"
    assert "牙龈肿痛怎么办" in original.text and "<script" not in original.text and "href=" not in original.text
    record = client.get("/desk/inbox/1/2/original")
    assert record.content_type.startswith("text/plain") and '"id": "r1"' in record.text


def test_each_block_offers_to_be_restored_or_marked_where_rules_can_be_kept(
    data: Path, settings: Settings, by_hand: None
) -> None:
    app, got = create_app(data, settings), []
    if "site_rules.mark" not in app.view_functions:

        @require(Role.EDITOR)
        def mark(batch: int, page: int, block: int) -> str:
            got.append((batch, page, block, dict(request.form)))
            return "ok"

        app.add_url_rule(
            "/desk/inbox/<int:batch>/<int:page>/<int:block>/mark", "site_rules.mark", mark, methods=["POST"]
        )
    with app.test_client() as client:
        log_in(client, "bianji")
        long = "很长的一段话。" * 500
        bring(client, ("a.html", page("牙龈出血怎么办", long).encode()))
        shown = client.get("/desk/inbox/1/1").text
        forms = re.findall(r'<form action="(/desk/inbox/1/1/\d+/mark)".*?</form>', shown, re.DOTALL)
        assert len(forms) == shown.count('<li class="block')
        assert shown.count(">恢复</button>") == shown.count('<li class="block out"') > 0
        assert shown.count(">标为广告</button>") == len(forms) - shown.count('<li class="block out"')
        pieces = re.split(r"<form ", shown)
        form = next(form for form in pieces if re.search(r'name="text" value="[^"]*很长的一段话', form))
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        assert len(fields["text"]) == 2000 and 'enctype="multipart/form-data"' in form
        kept = next(form for form in pieces if "标为广告：建议到口腔科" in form)
        gone = next(form for form in pieces if f"恢复：{AD}" in form)
        assert 'name="decision" value="remove"' in kept and 'name="decision" value="keep"' in gone
        if "site_rules" not in app.blueprints:
            address = re.findall(r'action="([^"]+)"', form)[0]
            sent = client.post(address, data={**fields, "scope": "page"}, content_type="multipart/form-data")
            assert sent.status_code == 200 and got[0][:2] == (1, 1)
            assert {name: got[0][3][name] for name in ("decision", "scope")} == {
                "decision": fields["decision"],
                "scope": "page",
            }


def test_lists_are_filtered_and_paged(client: FlaskClient, by_hand: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_zip(client)
    assert "共 2 个" in client.get("/desk/inbox/1?site=ya.example").text
    assert "共 0 个" in client.get("/desk/inbox/1?only=rejected").text
    assert "共 4 个" in client.get("/desk/inbox/1?only=nonsense&page=x").text
    monkeypatch.setattr(inbox_pages, "PER_PAGE", 3)
    first = client.get("/desk/inbox/1").text
    assert 'aria-current="page">1 / 2<' in first and "page=2" in first
    assert "牙龈肿痛怎么办" in client.get("/desk/inbox/1?page=2").text and "牙龈肿痛怎么办" not in first
    assert 'aria-current="page">2 / 2<' in client.get("/desk/inbox/1?page=999999999999999").text
    assert (
        'aria-current="page">1 / 2<' in client.get("/desk/inbox/1?page=99999999999999999999").text
    )  # no number that is held
    monkeypatch.setattr(inbox_page_views, "BLOCKS_PER_PAGE", 2)
    parts = client.get("/desk/inbox/1/4?blocks=2").text
    assert "前面的段落" in parts and parts.count('<li class="block') == 2
    bring_zip(client)
    monkeypatch.setattr(inbox_pages, "PER_PAGE", 1)
    assert "第 1 批" not in client.get("/desk/inbox").text and "第 1 批" in client.get("/desk/inbox?before=2").text


def test_one_page_is_left_out_with_a_reason_and_put_in_again(client: FlaskClient, data: Path, by_hand: None) -> None:
    bring_zip(client)
    assert send(client, "/desk/inbox/1/4/leave-out", form_on="/desk/inbox/1/4", reason="").status_code == 400
    left = send(client, "/desk/inbox/1/4/leave-out", form_on="/desk/inbox/1/4", reason="已过时")
    assert left.headers["Location"] == "/desk/inbox/1/4?done=left_out"
    assert (
        "已过时" in client.get("/desk/inbox/1/4").text and "共 1 个" in client.get("/desk/inbox/1?only=left_out").text
    )
    assert send(client, "/desk/inbox/1/4/put-in", form_on="/desk/inbox/1/4").status_code == 303
    assert "共 0 个" in client.get("/desk/inbox/1?only=left_out").text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bomb.zip", zip_of({"a.html": bytes(30_000_000)}), "压缩炸弹"),
        ("a.zip", zip_of({"../a.html": "x"}), ".."),
        ("a.zip", b"no zip", "压缩包损坏"),
        ("a.pdf", b"x", "没有可以读取的文件"),
        ("", b"", "请选择要上传的文件"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(
    client: FlaskClient, data: Path, name: str, content: bytes, said: str
) -> None:
    refused = bring(client, (name, content), name="一<批")
    assert refused.status_code == 400 and said in refused.text and 'value="一&lt;批"' in refused.text
    assert (list_batches(data) == [] and not (data / "inbox").exists()) or files_below(data / "inbox") == []


def test_only_the_upload_may_be_large_and_only_so_large(data: Path, settings: Settings) -> None:
    small = replace(settings, max_upload_bytes=50_000)
    with create_app(data, small).test_client() as client:
        log_in(client, "bianji")
        fits = bring(client, ("a.html", b"x" * 40_000))
        assert fits.status_code == 303
        too_large = bring(client, ("a.html", b"x" * 60_000))
        assert too_large.status_code == 413 and "请分几次上传" in too_large.text
        elsewhere = send(client, "/desk/take-downs", key="x" * 20_000, reason="y")
        assert elsewhere.status_code == 413
        assert client.get("/healthz", data=b"x" * 20_000).status_code == 413
        # without a length the body is cut off by the same bound
        page = client.get("/desk/inbox")
        body = (
            b'--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + token_in(page).encode() + b"\r\n--b\r\n"
            b'Content-Disposition: form-data; name="files"; filename="a.html"\r\n\r\n'
            + b"x" * 60_000
            + b"\r\n--b--\r\n"
        )
        streamed = client.post(
            "/desk/inbox",
            input_stream=io.BytesIO(body),
            content_type="multipart/form-data; boundary=b",
            environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        )
        assert streamed.status_code == 413
    assert len(list_batches(data)) == 1


def test_nothing_of_a_body_is_read_for_whoever_may_not_upload(data: Path, settings: Settings) -> None:
    class Unread(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise AssertionError("the body was read")

    with create_app(data, settings).test_client() as client:
        for name, status in ((None, 401), ("fenxi", 403)):
            if name:
                log_in(client, name)
            refused = client.post(
                "/desk/inbox",
                content_type="multipart/form-data; boundary=b",
                environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": "10000000"},
            )
            assert refused.status_code == status


def test_large_files_go_to_the_data_directorys_disk_without_a_name(
    client: FlaskClient, data: Path, by_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = tempfile.TemporaryFile

    def noted(*args: object, **kwargs: object) -> object:
        file = real(*args, **kwargs)  # type: ignore[call-overload]
        made.append((kwargs["dir"], files_below(data / "inbox")))
        return file

    monkeypatch.setattr(uploads, "TemporaryFile", noted)
    assert bring(client, ("a.txt", "牙痛怎么办\n".encode() * 40_000)).status_code == 303
    assert made == [(data / "inbox", [])]


def test_a_disk_that_fails_while_an_upload_comes_in_is_told(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "TemporaryFile", full)
    refused = bring(client, ("a.txt", b"x" * 400_000))
    assert refused.status_code == 507 and "没有收下" in refused.text


def test_batches_and_pages_that_are_not_there_are_no_pages(client: FlaskClient, by_hand: None) -> None:
    bring_zip(client)
    for address in ("/desk/inbox/9", "/desk/inbox/9/1", "/desk/inbox/1/99", "/desk/inbox/1/99/original"):
        assert client.get(address).status_code == 404
    assert client.get(f"/desk/inbox/{2**70}").status_code == 404
    for act in ("take", "inspect", "discard"):
        assert send(client, f"/desk/inbox/9/{act}", form_on="/desk/inbox").status_code == 404
    assert send(client, "/desk/inbox/1/discard", form_on="/desk/inbox/1", reason="x" * 501).status_code == 400
