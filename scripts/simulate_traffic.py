#!/usr/bin/env python3
"""Fill a data directory's query log with made-up visitors, for tests, measurements and a demonstration.

Visitors come by day and hour, ask by Zipf's law, slip while typing, ask again in other words, and click by position
bias. What is written is known: the truth is added up here, visit by visit, and never from the log.

With `--new-share` a visit asks something that nobody asked before with that chance, and else what an earlier visit
asked: Simon's process ("On a class of skew distribution functions", Biometrika 42, 1955), whose counts have the long
tail that real logs have (28 distinct in 100 searches in AOL's of 2006).

Usage: scripts/simulate_traffic.py --data DIR [--days 30] [--searches 20000] [--seed 1] [--new-share .2] [--truth FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from webapp.demonstration import mark_demonstration
from webapp.log_store.sessions import Visitor
from webapp.query_log import Click, Event, QueryLog

TOPICS = (
    "面肌痉挛 高血压 糖尿病 失眠 湿疹 偏头痛 感冒 咳嗽 发烧 腹泻 便秘 胃炎 胆结石 肾结石 "
    "痛风 颈椎病 腰椎间盘突出 类风湿关节炎 荨麻疹 带状疱疹 痔疮 口腔溃疡 牙周炎 过敏性鼻炎 "
    "中耳炎 白内障 青光眼 甲状腺结节 乳腺增生 痛经 子宫肌瘤 前列腺增生 贫血 脂肪肝 乙肝 肺结节 "
    "哮喘 肺炎 心律失常 冠心病 脑梗死 癫痫 帕金森病 抑郁症 焦虑症 骨质疏松 足底筋膜炎 灰指甲 "
    "痤疮 脱发 "
).split()
ASPECTS = {"治疗": "怎么治", "病因": "是什么原因", "饮食": "能吃什么", "预防": "怎么预防", "": "要紧吗"}
PLAIN = {"怎么治": "怎么治疗", "是什么原因": "为什么会得", "能吃什么": "饮食注意什么"}
#: asked, and not held: nothing is found
MISSING = ("磁场理疗", "尿疗法", "某某胶囊真假")
#: asked by somebody who had better call
URGENT = "胸口突然剧痛出冷汗怎么办"
#: asked more and more often from day to day, up to so great a share of visits
SEASONAL, SEASONAL_SHARE = ("流行性感冒", "治疗"), 0.06
GENERATIONS = ("gen-000001", "gen-000002")
#: chance that the answer at a rank is looked at (the shape of published eye-tracking and click studies)
LOOKED_AT = (0.68, 0.42, 0.30, 0.23, 0.18, 0.14, 0.11, 0.09, 0.08, 0.07)
#: a visit's pause is shorter, so that a visit stays one
MAX_PAUSE_S = 240
#: what makes a question of a tail its own: who, since when
AGES, SEXES, UNITS = range(1, 91), ("男", "女"), ("天", "周", "个月", "年")
MAX_SINCE = 25

#: a topic and an aspect that are asked about, and the words it is asked in; all of a wish are one for who counts
Wish = tuple[str, str, str]
#: what the engine finds for a question, as the log keeps it
Asker = Callable[[str], Event]


@dataclass
class Truth:
    """What was made, added up while it was made. Dictionaries by day."""

    searches: Counter[str] = field(default_factory=Counter)
    no_result: Counter[str] = field(default_factory=Counter)
    direct: Counter[str] = field(default_factory=Counter)
    urgent: Counter[str] = field(default_factory=Counter)
    clickable: Counter[str] = field(default_factory=Counter)
    clicked: Counter[str] = field(default_factory=Counter)
    first_ranks: Counter[int] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    visits_without_click: Counter[str] = field(default_factory=Counter)
    queries: Counter[str] = field(default_factory=Counter)
    chains: Counter[tuple[str, str, str]] = field(default_factory=Counter)  #: day, question, the next one
    askers: dict[tuple[str, str], set[int]] = field(default_factory=lambda: defaultdict(set))  #: day, question
    latencies: Counter[float] = field(default_factory=Counter)
    by_generation: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """For a file."""
        keyed = ("chains", "askers")
        found: dict[str, Any] = {name: dict(value) for name, value in vars(self).items() if name not in keyed}
        found["chains"] = [[*key, count] for key, count in sorted(self.chains.items())]
        found["askers"] = [[*key, len(who)] for key, who in sorted(self.askers.items())]
        return found


class Traffic:
    """A stream of searches and clicks, in the order of time within each day."""

    def __init__(
        self,
        seed: int,
        first: date,
        days: int,
        searches: int,
        new_share: float = 0.0,
        ask: Asker | None = None,
    ) -> None:
        """`new_share`: of visits that ask what nobody asked before; `ask`: finds answers, None to make them up too."""
        self._random = random.Random(seed)
        self._first, self._days, self._searches = first, days, searches
        self._new_share, self._ask = new_share, ask
        self._asked: list[Wish] = []
        self._tail: Iterator[Wish] = iter(())
        self.truth = Truth()
        pairs = [(topic, aspect) for topic in TOPICS for aspect in ASPECTS]
        self._random.shuffle(pairs)
        self._pairs = pairs
        self._zipf = list(accumulate(1 / rank for rank in range(1, len(pairs) + 1)))
        self._token = 0
        if new_share:
            self._tail = self._long_tail()

    def _long_tail(self) -> Iterator[Wish]:
        """Wishes, each another one: the plain ones first, then such of one person."""
        for topic, aspect in self._pairs:
            yield topic, aspect, f"{topic}{ASPECTS[aspect]}"
        for since in range(1, MAX_SINCE + 1):
            for unit in UNITS:
                for age in AGES:
                    for sex in SEXES:
                        for topic, aspect in self._pairs:
                            yield topic, aspect, f"{age}岁{sex}，{topic}{since}{unit}了，{ASPECTS[aspect]}"

    def _wish(self, time_gone: float) -> Wish:
        """`time_gone`: the share of all days that are over."""
        chance = self._random
        if not self._new_share:
            is_seasonal = chance.random() < SEASONAL_SHARE * time_gone
            topic, aspect = SEASONAL if is_seasonal else chance.choices(self._pairs, cum_weights=self._zipf)[0]
            return topic, aspect, f"{topic}{ASPECTS[aspect]}"
        is_new = not self._asked or chance.random() < self._new_share
        wish = next(self._tail) if is_new else chance.choice(self._asked)
        self._asked.append(wish)
        return wish

    def events(self) -> Iterator[Event | Click]:
        """Everything, day by day."""
        for number in range(self._days):
            day = self._first + timedelta(number)
            wanted = self._searches * (number + 1) // self._days - self._searches * number // self._days
            made: list[Event | Click] = []
            while wanted > 0:
                visit = self._visit(day, wanted)
                wanted -= sum(isinstance(each, Event) and each.page == 1 for each in visit)
                made += visit
            yield from sorted(made, key=lambda each: each.time)

    def _visit(self, day: date, at_most: int) -> list[Event | Click]:
        chance = self._random
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=chance.randrange(23 * 3600))
        visitor = Visitor(chance.getrandbits(62), chance.getrandbits(62))
        made: list[Event | Click] = []
        queries: list[str] = []
        clicked = clickable = False
        topic, aspect, wish = self._wish((day - self._first).days / self._days)
        for query in self._wordings(wish, topic):
            if len(queries) == at_most or moment.hour == 23:
                break
            event, clicks = self._search(query, topic, aspect, moment, visitor)
            made += [event, *clicks]
            queries.append(query)
            clicked, clickable = clicked or bool(clicks), clickable or event.total > 0
            self.truth.askers[str(day), query].add(visitor.session)
            moment += timedelta(seconds=chance.randint(5, MAX_PAUSE_S))
            if clicks and chance.random() < 0.85:
                break
        self.truth.visits[str(day)] += bool(queries)
        self.truth.visits_without_click[str(day)] += clickable and not clicked
        for one, other in {(a, b) for a, b in pairwise(queries) if a != b}:
            self.truth.chains[str(day), one, other] += 1
        return made

    def _wordings(self, wish: str, topic: str) -> Iterator[str]:
        """What one wish is typed as, one after another."""
        chance = self._random
        if chance.random() < 0.04:
            yield chance.choice(MISSING)
        if chance.random() < 0.01:
            yield URGENT
        if chance.random() < 0.08:
            place = wish.index(topic) + chance.randrange(len(topic))
            yield wish[:place] + chance.choice("的了是在地") + wish[place + 1 :]  # a slip
        yield wish
        for ending, other in PLAIN.items():
            if wish.endswith(ending) and chance.random() < 0.25:
                yield wish.removesuffix(ending) + other
        if chance.random() < 0.15:
            yield topic

    def _search(
        self, query: str, topic: str, aspect: str, moment: datetime, visitor: Visitor
    ) -> tuple[Event, list[Click]]:
        chance, truth, day = self._random, self.truth, f"{moment:%Y-%m-%d}"
        self._token += 1
        found = self._ask(query) if self._ask else self._made_up(query, topic, aspect, moment)
        event = replace(
            found,
            time=moment,
            latency_ms=round(chance.lognormvariate(2.3, 0.5), 1),
            token=self._token,
            visitor=visitor,
            stages_ms={"retrieve and rank": 3.0},
        )
        total, shown = event.total, event.shown
        truth.searches[day] += 1
        truth.queries[query] += 1
        truth.no_result[day] += not total
        truth.direct[day] += event.direct is not None
        truth.urgent[day] += event.urgency is not None
        truth.clickable[day] += total > 0
        truth.by_generation[event.generation] += 1
        truth.latencies[event.latency_ms] += 1
        looked = [rank for rank in range(1, len(shown) + 1) if chance.random() < LOOKED_AT[rank - 1]]
        ranks = [rank for rank in looked if chance.random() < 0.45]
        clicks = [
            Click(moment + timedelta(seconds=3 * number), self._token, rank, shown[rank - 1][0])
            for number, rank in enumerate(ranks, 1)
        ]
        if ranks:
            truth.clicked[day] += 1
            truth.first_ranks[ranks[0]] += 1
        return event, clicks

    def _made_up(self, query: str, topic: str, aspect: str, moment: datetime) -> Event:
        chance = self._random
        total = 0 if query in MISSING else chance.choice((3, 12, 40, 120))
        shown = tuple((f"{topic}-{rank}", round(0.95 - 0.05 * rank, 2)) for rank in range(min(total, 10)))
        return Event(
            time=moment,
            query=query,
            total=total,
            latency_ms=0.0,
            generation=GENERATIONS[moment.date() >= self._first + timedelta(self._days // 2)],
            surface="page",
            page=1,
            words=(topic,),
            entity=topic if total else None,
            aspects=(aspect,) if aspect else (),
            shown=shown,
            direct=shown[0][0] if total and chance.random() < 0.4 else None,
            urgency="heart" if topic == "冠心病" and chance.random() < 0.3 else None,
        )


def simulate(log: QueryLog, traffic: Traffic) -> None:
    """Write all of it."""
    for number, each in enumerate(traffic.events(), 1):
        if isinstance(each, Event):
            log.record(each)
        else:
            log.record_click(each)
        if number % 5_000 == 0 and not log.flush(60):
            raise SystemExit("the log takes no more")
    if not log.flush(60) or log.lost_events:
        raise SystemExit(f"{log.lost_events} events were lost")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--searches", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--new-share", type=float, default=0.0, help="of visits that ask what nobody asked before")
    parser.add_argument("--last", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(1))
    parser.add_argument("--truth", type=Path)
    options = parser.parse_args()
    log = QueryLog(options.data)
    if log.read_events():
        parser.error(f"{log.path} holds searches already; made-up ones are not mixed with them")
    first = options.last - timedelta(options.days - 1)
    traffic = Traffic(options.seed, first, options.days, options.searches, options.new_share)
    mark_demonstration(options.data)
    simulate(log, traffic)
    if options.truth:
        options.truth.write_text(json.dumps(traffic.truth.as_dict(), ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
