"""A rule and the case that it is kept by, saved together or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from indexer.own_resources import with_changes
from indexer.records import SavedPage
from indexer.resources import effective_resources
from indexer.rule_cases import MAX_TEXTS, RuleCase, keep_case, require_sound
from indexer.settings import Settings
from indexer.site_rules import NewSiteRule, add_site_rule, changes_with, rule_key


def save_site_rule(
    data: Path, rule: NewSiteRule, actor: str, reason: str, settings: Settings, case: SavedPage | None = None,
    texts: Sequence[str] = (),
) -> None:  # fmt: skip
    """Save a rule, and a page on which these texts are kept, or go, as its case; neither when the case does not hold.

    Raises ResourceError or StateError.
    """
    if case is not None:
        lines = tuple(dict.fromkeys(texts))[:MAX_TEXTS]
        kept, removed = (lines, ()) if rule.decision == "keep" else ((), lines)
        with tempfile.TemporaryDirectory(prefix="yiwen-case-") as folder:
            with_changes(data, changes_with(data, rule), Path(folder), settings.resources)
            tried = RuleCase(0, case, kept, removed, rule_key(rule), actor, "", reason, "", "", "")
            require_sound(tried, Path(folder), settings)
    add_site_rule(data, rule, actor, reason, settings.resources)
    if case is not None:
        resources = effective_resources(data, settings.resources)
        keep_case(data, case, kept, removed, rule_key(rule), actor, reason, resources, settings)
