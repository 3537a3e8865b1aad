"""What is asked of a new generation, one question a function: facts in, a `Check` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from indexer.quality_gate.bounds import Bounds
from indexer.quality_gate.leaks import Found
from indexer.quality_gate.page_facts import UNREADABLE, PageFacts, SiteFacts
from indexer.quality_gate.questions import QuestionFacts
from indexer.quality_gate.significance import compare
from indexer.quality_gate.soundness import Soundness
from indexer.rule_cases import CaseFacts
from indexer.verdicts import Reason

Value = float | int | str | None
_SHOWN = 3
_MIN_SHARE_SITE = 5  #: scraped pages of a site, below which a share says nothing


@dataclass(frozen=True)
class Check:
    """One question with its answer."""

    name: str
    passed: bool
    before: Value
    after: Value
    sentence: str  #: for people: what holds, or what does not and where


@dataclass(frozen=True)
class Facts:
    """What is known of one generation."""

    pages: PageFacts
    leaks: Mapping[str, Found]
    created: str
    lexicon_words: int


def check_resources(found: Soundness, built_with: str) -> Check:
    """The copy of the resources is what the build started with."""
    same = found.resources == built_with
    sentence = (
        "词表、模板和权重与建立时一致。"
        if same
        else "词表、模板或权重在建立期间被改动，新一代前后用的不是同一份；请重新运行 yiwen build。"
    )
    return Check("resources", same, built_with[:12], found.resources[:12], sentence)


def check_lexicon(found: Soundness, before: Facts | None, bounds: Bounds) -> Check:
    """There is a lexicon, texts were cut with it, and it has not shrunk to a fraction."""
    old, new = before.lexicon_words if before else None, found.lexicon_words
    if found.lexicon_faults:
        sentence = f"词表有问题：{' '.join(found.lexicon_faults)}"
    elif not new:
        sentence = "词表是空的：资源目录的 lexicon 中没有一个词；请恢复词表后重新建立。"
    elif old is not None and new < old * bounds.min_kept_lexicon:
        sentence = f"词表从 {old} 个词减少到 {new} 个，可能有文件丢失；请核对资源目录的 lexicon。"
    else:
        return Check("lexicon", True, old, new, f"词表有 {new} 个词，切分文字用的是同一份。")
    return Check("lexicon", False, old, new, sentence)


def check_weights(found: Soundness) -> Check:
    """Weights and trees give an order."""
    faults = " ".join(found.weight_faults)
    return Check("weights", not faults, None, None, f"排序权重有问题：{faults}" if faults else "排序权重和模型完整。")


def check_arrays(found: Soundness, open_fault: str | None) -> Check:
    """All arrays are there and whole, Whoosh has the same answers, and the generation can be opened."""
    faults = " ".join([*found.array_faults[:_SHOWN], *([open_fault] if open_fault else [])])
    return Check("arrays", not faults, None, None, f"索引文件不完整：{faults}" if faults else "索引各部分齐全、一致。")


def check_clock(created: str, parent_created: str | None) -> Check:
    """A generation is not older than the one that it follows."""
    passed = parent_created is None or created >= parent_created
    sentence = (
        "建立时间在上一代之后。"
        if passed
        else f"时钟倒退：新一代的建立时间 {created} 早于上一代的 {parent_created}；请校准系统时钟后重新建立。"
    )
    return Check("clock", passed, parent_created, created, sentence)


def check_leaks(after: Facts, before: Facts | None, bounds: Bounds) -> Check:
    """Answers without advertising, link farms and other sites' addresses."""
    sites = after.leaks
    leaking = sum(found.leaking for found in sites.values())
    scraped = [(found.leaking_pages, found.scraped) for found in sites.values()]
    share, old = _share(leaking, _looked_at(sites)), None
    faults = []
    if _exceeds(sum(n for n, _ in scraped), sum(m for _, m in scraped), bounds.max_leaks, bounds):
        faults.append(
            f"网页的答案中有 {_percent(_share(sum(n for n, _ in scraped), sum(m for _, m in scraped)))} 带广告。"
        )
    if before:
        old = _share(sum(found.leaking for found in before.leaks.values()), _looked_at(before.leaks))
        if _exceeds(leaking, _looked_at(sites), old + bounds.max_more_leaks, bounds):
            faults.append(f"带广告、链接农场或外站网址的答案从 {_percent(old)} 增加到 {_percent(share)}。")
        for site, found in sites.items():
            known = before.leaks.get(site, Found())
            most = _share(known.leaking, known.looked_at) + bounds.max_more_of_site
            if known.looked_at and _exceeds(found.leaking, found.looked_at, most, bounds):
                faults.append(f"{site} 有 {_percent(_share(found.leaking, found.looked_at))} 的答案带广告。")
    worst = sorted((found for found in sites.values() if found.examples), key=lambda found: -found.leaking)
    examples = "".join(f"“{example}”" for found in worst[:_SHOWN] for example in found.examples[:1])
    sentence = f"广告泄漏：{''.join(faults[:_SHOWN])}例如{examples}。" if faults else "答案中没有多出广告和外站网址。"
    return Check("leaks", not faults, _rounded(old), _rounded(share), sentence)


def check_rule_cases(found: CaseFacts) -> Check | None:
    """What editors' test cases ask of the rules holds; None where there are no cases."""
    if not found.cases:
        return None
    shown = "；".join(case.sentence for case in found.broken[:_SHOWN])
    sentence = (
        f"站点规则不合 {len(found.broken)} 个用例：{shown}。请改规则，或说明原因后结束用例。"
        if found.broken
        else f"站点规则符合全部 {found.cases} 个用例。"
    )
    return Check("rule_cases", not found.broken, found.cases, found.cases - len(found.broken), sentence)


def check_garbled(after: Facts, before: Facts | None, bounds: Bounds) -> Check:
    """Answers without characters that were decoded wrongly."""
    garbled, looked_at = sum(found.garbled for found in after.leaks.values()), _looked_at(after.leaks)
    share, old = _share(garbled, looked_at), None
    most = bounds.max_garbled
    if before:
        old = _share(sum(found.garbled for found in before.leaks.values()), _looked_at(before.leaks))
        most = old + bounds.max_more_garbled
    failed = _exceeds(garbled, looked_at, most, bounds)
    examples = "、".join(f"“{example}”" for found in after.leaks.values() for example in found.garbled_examples[:1])
    sentence = (
        f"{_percent(share)} 的答案是乱码，例如{examples}；请核对网页的编码。" if failed else "答案中没有多出乱码。"
    )
    return Check("garbled", not failed, _rounded(old), _rounded(share), sentence)


def check_answers(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """As many answers as before, or not many fewer."""
    old, taken_down = before.pages.answers, len(after.pages.taken_down_paths)
    new = after.pages.answers
    passed = new + taken_down >= old * bounds.min_kept_answers
    of_these = f"（另有 {taken_down} 条已下架）" if taken_down else ""
    sentence = (
        f"答案从 {old} 条变为 {new} 条{of_these}。"
        if passed
        else f"答案从 {old} 条减少到 {new} 条{of_these}，不足原来的 {_percent(bounds.min_kept_answers)}。"
    )
    return Check("answers", passed, old, new, sentence)


def check_sites(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """Each site still has its pages and answers."""
    down_answers, down_pages = _taken_down(after, before)
    faults = []
    for site, old in sorted(before.pages.sites.items(), key=lambda found: -found[1].answers):
        new = after.pages.sites.get(site, SiteFacts())
        for name, was, now in (
            ("页", old.pages, new.pages + down_pages.get(site, 0)),
            ("条答案", old.answers, new.answers + down_answers.get(site, 0)),
        ):
            if now == 0 and was >= bounds.vanished_size:
                faults.append(f"{site} 的 {was} {name}全部消失。")
                break
            if was >= bounds.site_size and now < was * bounds.min_kept_of_site:
                faults.append(f"{site} 从 {was} {name}减少到 {now} {name}。")
                break
    held = len([site for site in after.pages.sites.values() if site.pages])
    sentence = f"站点的内容变少：{_first(faults)}" if faults else "各站点的页数和答案数没有明显减少。"
    return Check("sites", not faults, len([s for s in before.pages.sites.values() if s.pages]), held, sentence)


def check_charsets(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """No more pages than before fail for their charset."""
    name = Reason.BAD_CHARSET.value
    old, new = before.pages.rejected[name], after.pages.rejected[name]
    more = _share(new, after.pages.read) - _share(old, before.pages.read)
    passed = more <= bounds.max_more_charset_failures or new - old < bounds.min_charset_failures
    sentence = (
        f"编码无法识别（乱码）的页面从 {old} 个变为 {new} 个{'。' if passed else '，明显增多；请核对采集时的编码。'}"
    )
    return Check("charsets", passed, old, new, sentence)


def check_unreadable(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """Files are read to their end."""
    old, new = (sum(facts.pages.rejected[reason.value] for reason in UNREADABLE) for facts in (before, after))
    known = set(before.pages.unreadable_files)
    broken = sorted({f for f in after.pages.unreadable_files if f not in known and before.pages.pages_of_file[f]})
    more = _share(new, after.pages.read) - _share(old, before.pages.read)
    lost = [f"{f}（原有 {before.pages.pages_of_file[f]} 页，现有 {after.pages.pages_of_file[f]} 页）" for f in broken]
    if broken:
        sentence = f"存档损坏或不完整，只读到一部分：{'、'.join(lost[:_SHOWN])}；请重新采集或从备份恢复。"
    elif more > bounds.max_more_unreadable and new - old >= bounds.min_charset_failures:
        sentence = f"无法读到底的文件从 {old} 个增加到 {new} 个；请核对磁盘和采集。"
    else:
        return Check("unreadable", True, old, new, "没有多出无法读取的文件。")
    return Check("unreadable", False, old, new, sentence)


def check_removal(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """Cleaning takes out of each site what it took before: else its template has changed."""
    faults = []
    for site, old in before.pages.sites.items():
        new = after.pages.sites.get(site)
        if new is None or min(old.scraped, new.scraped) < _MIN_SHARE_SITE:
            continue
        ratio = new.chars_a_page / max(old.chars_a_page, 1)
        if abs(new.removed_share - old.removed_share) > bounds.max_removed_share_change:
            shares = f"{_percent(old.removed_share)} 变为 {_percent(new.removed_share)}"
            faults.append(f"{site} 清洗去掉的文字从 {shares}。")
        elif not 1 / bounds.max_text_length_ratio <= ratio <= bounds.max_text_length_ratio:
            lengths = f"{old.chars_a_page:.0f} 字变为 {new.chars_a_page:.0f} 字"
            faults.append(f"{site} 每页的正文从 {lengths}。")
    old_share, new_share = (_removed_share(facts.pages.sites.values()) for facts in (before, after))
    sentence = (
        f"可能换了网页模板：{_first(faults)}请用 yiwen extract --explain 查看。"
        if faults
        else "各站点去掉的比例没有突变。"
    )
    return Check("removal", not faults, _rounded(old_share), _rounded(new_share), sentence)


def check_cut_off(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """Answers of a site do not break off more than before."""
    faults = []
    for site, old in before.pages.sites.items():
        new = after.pages.sites.get(site, SiteFacts())
        most = _share(old.cut_off, old.answers) + bounds.max_more_cut_off
        if old.answers and _exceeds(new.cut_off, new.answers, most, bounds):
            faults.append(f"{site} 从 {old.cut_off} 条增加到 {new.cut_off} 条。")
    old_count, new_count = (sum(site.cut_off for site in facts.pages.sites.values()) for facts in (before, after))
    sentence = f"文字不完整的答案增多：{_first(faults)}" if faults else "文字不完整的答案没有明显增多。"
    return Check("cut_off", not faults, old_count, new_count, sentence)


def check_doubles(after: Facts, before: Facts, bounds: Bounds) -> Check:
    """Pages are not taken in twice."""
    old, new = before.pages, after.pages
    pages = _share(new.doubled, new.pages) - _share(old.doubled, old.pages)
    copies = _share(new.copies, new.answers) - _share(old.copies, old.answers)
    faults = []
    if pages > bounds.max_more_doubled_pages and new.doubled - old.doubled >= bounds.min_doubled:
        examples = "、".join(f"{second} 与 {first}" for first, second in new.doubled_examples[:_SHOWN])
        faults.append(f"内容相同的网页从 {old.doubled} 个增加到 {new.doubled} 个，例如 {examples}。")
    if copies > bounds.max_more_copies and new.copies - old.copies >= bounds.min_doubled:
        faults.append(f"与其他答案雷同的从 {old.copies} 条增加到 {new.copies} 条。")
    sentence = f"重复的内容增多：{''.join(faults)}" if faults else "重复的网页和答案没有明显增多。"
    return Check("doubles", not faults, old.doubled + old.copies, new.doubled + new.copies, sentence)


def check_judged(found: QuestionFacts, bounds: Bounds) -> Check | None:
    """Judged questions are answered as well; None when too few were judged."""
    if len(found.judged) < bounds.min_questions:
        return None
    before, after = [one.ndcg_before for one in found.judged], [one.ndcg_after for one in found.judged]
    compared = compare(after, before)
    passed = not compared.is_worse and compared.difference >= -bounds.max_judged_drop
    means = f"nDCG@10 从 {fmean(before):.3f} 变为 {fmean(after):.3f}"
    counts = f"{compared.wins} 个变好，{compared.losses} 个变差，{compared.ties} 个不变"
    lost = sum(one.lost > 0 and one.ndcg_after < one.ndcg_before for one in found.judged)
    why = f"变差的问题中有 {lost} 个是因为相关的答案不在新一代里。" if lost else ""
    verdict = f"{len(before)} 个评判过的问题{'' if passed else '明显变差'}"
    sentence = f"{verdict}：{means}（p = {compared.p:.4f}），{counts}。{why}"
    return Check("judged", passed, round(fmean(before), 4), round(fmean(after), 4), sentence)


def check_without_result(found: QuestionFacts, bounds: Bounds) -> Check | None:
    """Questions find something as before; None when too few were asked."""
    asked = len(found.asked)
    if asked < bounds.min_questions:
        return None
    old, new = (
        sum(not t for t in totals)
        for totals in zip(*((q.total_before, q.total_after) for q in found.asked), strict=True)
    )
    passed = _share(new - old, asked) <= bounds.max_more_without_result
    lost = "、".join(f"“{q.text}”" for q in found.asked if q.total_before and not q.total_after and not passed)
    sentence = f"{asked} 个问题中搜不到答案的从 {old} 个变为 {new} 个{'' if passed else '，明显增多：' + lost[:120]}。"
    return Check("without_result", passed, _rounded(_share(old, asked)), _rounded(_share(new, asked)), sentence)


def check_latency(found: QuestionFacts, bounds: Bounds) -> Check | None:
    """Questions are answered as fast; None when too few were asked."""
    if len(found.asked) < bounds.min_questions:
        return None
    old, new = median(q.ms_before for q in found.asked), median(q.ms_after for q in found.asked)
    passed = new <= old * bounds.max_latency_ratio or new - old < bounds.min_slower_ms
    sentence = f"检索耗时的中位数从 {old:.0f} 毫秒变为 {new:.0f} 毫秒{'' if passed else '，明显变慢'}。"
    return Check("latency", passed, round(old, 2), round(new, 2), sentence)


def _taken_down(after: Facts, before: Facts) -> tuple[dict[str, int], dict[str, int]]:
    """Answers and pages of each site that were taken down on purpose."""
    answers: dict[str, int] = {}
    pages: dict[str, int] = {}
    for path in after.pages.taken_down_paths:
        if (site := before.pages.sites_of_paths.get(path)) is not None:
            answers[site] = answers.get(site, 0) + 1
    for path in set(after.pages.taken_down_paths):
        if (site := before.pages.sites_of_paths.get(path)) is not None:
            pages[site] = pages.get(site, 0) + 1
    return answers, pages


def _exceeds(found: int, looked_at: int, most: float, bounds: Bounds) -> bool:
    return found >= bounds.min_found and _share(found, looked_at) > most


def _looked_at(sites: Mapping[str, Found]) -> int:
    return sum(found.looked_at for found in sites.values())


def _removed_share(sites: Iterable[SiteFacts]) -> float:
    listed = list(sites)
    removed, kept = sum(site.removed_chars for site in listed), sum(site.kept_chars for site in listed)
    return _share(removed, removed + kept)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".rstrip("0").rstrip(".") + "%"


def _first(faults: Sequence[str]) -> str:
    more = f"等共 {len(faults)} 处。" if len(faults) > _SHOWN else ""
    return "".join(faults[:_SHOWN]) + more
