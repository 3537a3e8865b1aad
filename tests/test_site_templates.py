"""Site rules are data; a fault in them names the file and what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from indexer.errors import ResourceError
from indexer.extract import load_site_templates
from indexer.extract.site_templates import first_match

RESOURCES = Path(__file__).parent.parent / "corpus" / "resources"


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    shutil.copytree(RESOURCES, tmp_path / "resources")
    return tmp_path / "resources"


def test_a_new_template_adds_to_the_general_rules(resources: Path) -> None:
    (resources / "sites" / "new.toml").write_text(
        'name = "新站"\nmedia = "text"\nfingerprint = ["^本站记号$"]\nnavigation = ["^听一听$"]\n', encoding="utf-8"
    )
    templates = load_site_templates(resources)
    rules = templates.rules_for("text", ["本站记号"])
    assert first_match(rules.navigation, "听一听")
    assert first_match(rules.navigation, "返回")
    assert not first_match(templates.rules_for("text", ["别的"]).navigation, "听一听")
    assert not first_match(templates.rules_for("html", ["本站记号"]).navigation, "听一听")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('name = "新站"\nmedia = "text"\n', "fingerprint"),
        ('name = "新站"\nmedia = "text"\nfingerprint = ["("]\n', "正则表达式"),
        ('name = "新站"\nmedia = "text"\nfingerprint = []\nnavigatoin = []\n', "navigatoin"),
        ("name = 新站\n", "TOML"),
    ],
)
def test_a_faulty_template_is_named(resources: Path, content: str, complaint: str) -> None:
    (resources / "sites" / "new.toml").write_text(content, encoding="utf-8")
    with pytest.raises(ResourceError) as caught:
        load_site_templates(resources)
    assert "new.toml" in str(caught.value)
    assert complaint in str(caught.value)


def test_general_rules_must_be_complete(resources: Path) -> None:
    (resources / "sites" / "general.toml").write_text("navigation = []\n", encoding="utf-8")
    with pytest.raises(ResourceError, match=r"general\.toml 不完整"):
        load_site_templates(resources)
