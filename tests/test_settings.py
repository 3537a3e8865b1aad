"""A setting comes from the command line, then the environment, then yiwen.toml, then the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import SettingError
from indexer.settings import Settings, load_settings


def test_defaults_hold_where_nothing_is_said(tmp_path: Path) -> None:
    assert load_settings({}, {}, tmp_path / "yiwen.toml") == Settings()


def test_each_place_wins_over_the_next(tmp_path: Path) -> None:
    file = tmp_path / "yiwen.toml"
    file.write_text('port = 1001\ndata = "from-file"\nsite_workers = 9\n', encoding="utf-8")
    environment = {"YIWEN_PORT": "1002", "YIWEN_DATA": "from-environment", "YIWEN_SITE_WORKERS": ""}
    settings = load_settings({"port": 1003, "data": None}, environment, file)
    assert settings.port == 1003
    assert settings.data == Path("from-environment")
    assert settings.site_workers == 9


@pytest.mark.parametrize(
    ("written", "meant"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("false", False), ("no", False)]
)
def test_a_switch_is_turned_by_the_environment(tmp_path: Path, written: str, meant: bool) -> None:
    environment = {"YIWEN_QUERY_IN_TITLE": written}
    assert load_settings({}, environment, tmp_path / "yiwen.toml").query_in_title is meant


def test_switches_and_texts_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "yiwen.toml"
    file.write_text('query_in_title = true\napi_origins = " https://a.cn https://b.cn "\n', encoding="utf-8")
    settings = load_settings({}, {}, file)
    assert settings.query_in_title is True
    assert settings.api_origins == "https://a.cn https://b.cn"
    assert load_settings({"query_in_title": False}, {}, file).query_in_title is False


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("prot = 8000\n", "prot"),
        ("port = \n", "TOML"),
        ('port = "often"\n', "often"),
        ("port = 0\n", "大于 0"),
        ("port = true\n", "大于 0"),
        ('query_in_title = "maybe"\n', "true 或 false"),
        ("query_in_title = 2\n", "true 或 false"),
        ("api_origins = 7\n", "应为文字"),
        ("data = 7\n", "应为路径"),
    ],
)
def test_a_wrong_setting_names_itself(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "yiwen.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingError) as caught:
        load_settings({}, {}, file)
    assert complaint in str(caught.value)


def test_a_wrong_variable_names_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="YIWEN_PORT"):
        load_settings({}, {"YIWEN_PORT": "eighty"}, tmp_path / "yiwen.toml")
