"""A question of the log, or a typed one, asked again of two generations side by side; their answers graded 0 to 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from flask import Blueprint, Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from indexer import (
    DEFAULT_ANSWERS,
    GRADES,
    MAX_ANSWERS,
    Job,
    JudgedCase,
    Manifest,
    NewGrades,
    Query,
    Replay,
    ReplayedAnswer,
    ask_for_replay,
    case_id,
    default_pair,
    find_job,
    find_judged_case,
    is_judgeable,
    list_manifests,
    read_replays,
    replay,
    replay_key,
    save_grades,
)
from indexer.errors import BadQuery, IndexerError, JobError, RefusedDecision
from webapp.asking import read_number
from webapp.auth import actor, require
from webapp.build_pages import RETRY_MS
from webapp.lazy_engine import SearchEngine
from webapp.query_log import normalise, without_persons
from webapp.roles import Role
from webapp.services import services
from webapp.tasks import task_for

blueprint = Blueprint("replay", __name__, url_prefix="/desk/replay")

MAX_QUESTION_CHARS = 200
MAX_NAME_CHARS = 40
TASK = "replay"
#: what the second select says when only one generation is to be asked
ALONE = "-"
#: names of the form's fields: before the id of an answer its grade
GRADE_FIELD = "g:"
BEST = max(GRADES)
NOTES = {
    "saved": "评级已保存，下一次建立索引时就会检查。",
    "same": "没有改动。",
    "scrubbed": "问题里像是个人信息的部分已经换掉；重放和保存的都是换过的。",
}


@dataclass(frozen=True)
class Row:
    """An answer of one list, beside the other list."""

    answer: ReplayedAnswer
    number: int  #: of the answer on this page
    other_rank: int | None  #: in the other list
    takes_grade: bool  #: an answer of both lists is graded in the first
    has_page: bool  #: the served generation holds it, so that its page is there
    is_judgeable: bool


@dataclass(frozen=True)
class Side:
    """One generation's list."""

    name: str
    is_served: bool
    replay: Replay | None = None
    rows: tuple[Row, ...] = ()
    problem: str = ""  #: why there is no list


@dataclass(frozen=True)
class Asked:
    """What a page is asked for."""

    written: str  #: as it was typed
    question: str  #: as it is asked, shown and kept: in the log's spelling, and nothing in it that tells of a person
    names: tuple[str, str]  #: of generations; "" for the usual one, ALONE for none
    limit: int

    @property
    def address(self) -> str:
        """Where this is asked."""
        return url_for("replay.show", q=self.question, a=self.names[0], b=self.names[1], n=self.limit)


def register(app: Flask) -> None:
    """Put the pages at the desk."""
    from webapp.editor_console import add_page

    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(GRADES=GRADES)
    add_page(app, "重放", "replay.show", Role.ANALYST)


@blueprint.get("")
@require(Role.ANALYST)
def show() -> AnyResponse:
    """`q`: the question; `a`, `b`: generations; `n`: how many answers. A question that tells of a person is led to an
    address without that.
    """
    asked = _asked(request.args)
    if asked.question and asked.question != normalise(asked.written):
        return redirect(f"{asked.address}&done=scrubbed", 303)
    return _page(asked, note=NOTES.get(request.args.get("done", ""), ""))


@blueprint.post("")
@require(Role.ANALYST)
def save() -> AnyResponse:
    """Keep the grades of the form."""
    asked = _asked(request.form)
    try:
        before = find_judged_case(services().data_dir, case_id(asked.question)) if asked.question else None
        case = save_grades(services().data_dir, _new_grades(asked, before), actor())
    except RefusedDecision as error:
        return _page(asked, problem=str(error), status=400, typed=request.form)
    done = "same" if before is not None and before.revision == case.revision else "saved"
    return redirect(f"{asked.address}&done={done}", 303)


@blueprint.post("/again")
@require(Role.ANALYST)
def again() -> AnyResponse:
    """Try once more to ask another generation."""
    asked = _asked(request.form)
    try:
        engine = services().engine.get()
        names = [name for name in _names(asked, engine, list_manifests(services().data_dir)) if name]
        _ask_others(asked, engine, [name for name in names if name != engine.generation], again=True)
    except IndexerError as error:
        return _page(asked, problem=str(error), status=400)
    return redirect(asked.address, 303)


@blueprint.get("/events/<int:number>")
@require(Role.ANALYST)
def events(number: int) -> Response:
    """One event while the job of that number asks another generation; 204 when it has ended."""
    try:
        job = find_job(services().data_dir, number)
    except JobError:
        return Response(status=204)
    if job.kind != TASK or job.status != "running":
        return Response(status=204)
    told = f'{{"stage": "{job.stage}", "done": {job.done}, "total": {job.total}}}'
    return Response(f"retry: {RETRY_MS}\ndata: {told}\n\n", mimetype="text/event-stream")


def kept_question(written: str) -> str:
    """A question as it is shown and kept, in the log's spelling and without persons. "" for nothing."""
    return without_persons(written, _terms_of(normalise(written))) if written else ""


def gone_answers(case: JudgedCase) -> frozenset[str]:
    """Ids of judged answers that the served generation does not hold. Raises what keeps the engine from opening."""
    engine = services().engine.get()
    return frozenset(each.answer for each in case.grades if not engine.count_of(each.answer))


def _asked(given: Mapping[str, str]) -> Asked:
    """What an address or a form asks for. Raises BadParameter."""
    written = given.get("q", "")
    short = written if len(written) <= MAX_QUESTION_CHARS else ""
    names = tuple(given.get(name, "").strip()[:MAX_NAME_CHARS] for name in ("a", "b"))
    limit = read_number(given, "n", DEFAULT_ANSWERS, MAX_ANSWERS)
    return Asked(written, kept_question(short), (names[0], names[1]), limit)


def _terms_of(plain: str) -> tuple[str, ...]:
    """Words of the lexicon in a question, which are nobody's name; none where there is no index to tell."""
    try:
        return services().engine.get().search(Query(plain, limit=1)).terms
    except IndexerError:
        return ()


def _new_grades(asked: Asked, before: JudgedCase | None) -> NewGrades:
    """What the form says. Raises RefusedDecision."""
    if len(asked.written) > MAX_QUESTION_CHARS:
        raise RefusedDecision(f"问题太长：最多 {MAX_QUESTION_CHARS} 个字。")
    known = before.by_answer if before else {}
    grades: dict[str, int | None] = {}
    for field, value in request.form.items():
        if field.startswith(GRADE_FIELD):
            answer, grade = field.removeprefix(GRADE_FIELD), _grade(value)
            if grade is not None or answer in known:
                grades[answer] = grade
    if best := request.form.get("best", ""):
        grades[best] = BEST
    if other := _answer_id(request.form.get("other", "")):
        if not services().engine.get().count_of(other):
            raise RefusedDecision("正在使用的索引里没有这个编号的答案；编号是答案页地址里 /answers/ 之后的部分。")
        grades[other] = _grade(request.form.get("other_grade", ""))
    seen = request.form.get("revision", "0")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 10):
        raise RefusedDecision("表单不完整；请重新打开这一页。")
    topic, aspects = _subject(asked.question)
    return NewGrades(asked.question, grades, request.form.get("note", ""), topic, aspects, int(seen))


def _grade(value: str) -> int | None:
    if value == "":
        return None
    if value not in map(str, GRADES):
        raise RefusedDecision("评级应是 0 到 3。")
    return int(value)


def _answer_id(written: str) -> str:
    """The id that was typed, or that stands in the address of an answer's page."""
    _, is_address, rest = written.strip().rpartition("/answers/")
    return unquote(rest.split("?")[0].split("#")[0]) if is_address else written.strip()


def _subject(question: str) -> tuple[str, tuple[str, ...]]:
    try:
        found = services().engine.get().search(Query(question, limit=1))
    except IndexerError:
        return "", ()
    return found.entity or "", found.aspects


def _names(asked: Asked, engine: SearchEngine, manifests: Sequence[Manifest]) -> tuple[str, str]:
    """The generations that are asked, "" for none: unless said otherwise the served one and the one before."""
    before, served = default_pair(manifests, engine.generation)
    first = asked.names[0] or served
    second = asked.names[1] or (before if first == served else served)
    return first, "" if second in (ALONE, first) else second


def _ask_others(
    asked: Asked, engine: SearchEngine, names: Sequence[str], again: bool = False
) -> Mapping[str, Replay] | Job:
    """What generations that are not served say, or the job that asks them. Raises IndexerError."""
    data = services().data_dir
    key = replay_key(asked.question, names, asked.limit, engine.state)
    found = read_replays(data, key)
    if found is None:
        ask_for_replay(data, key, asked.question, names, asked.limit)
        job = task_for(data, TASK, key, actor(), again)
        found = read_replays(data, key)  # it may have ended meanwhile
        return job if found is None else found
    return found


def _sides(asked: Asked, engine: SearchEngine, manifests: Sequence[Manifest]) -> tuple[list[Side], Job | None]:
    """Both lists, or the job that is making one."""
    names = [name for name in _names(asked, engine, manifests) if name]
    there = {manifest.generation for manifest in manifests} | {engine.generation}
    others = [name for name in names if name != engine.generation and name in there]
    replays = {engine.generation: replay(engine, asked.question, asked.limit)} if engine.generation in names else {}
    job, problem = None, ""
    if others:
        found = _ask_others(asked, engine, others)
        if isinstance(found, Job):
            job, problem = found, found.sentence
        else:
            replays.update(found)
    sides = []
    for name in names:
        is_served = name == engine.generation
        missing = f"没有完好的 {name[:MAX_NAME_CHARS]}：可能已经清理掉了。请从列出的各代里选择。"
        told = "" if name in replays else problem if name in there else missing
        sides.append(Side(name, is_served, replays.get(name), problem=told))
    return _beside(sides, engine), job


def _beside(sides: Sequence[Side], engine: SearchEngine) -> list[Side]:
    """The same with their rows, each beside the other list."""
    numbers: dict[str, int] = {}
    found = []
    for place, side in enumerate(sides):
        other = sides[1 - place].replay if len(sides) == 2 else None
        ranks = {each.id: each.rank for each in other.answers} if other else {}
        rows = []
        for answer in side.replay.answers if side.replay else ():
            takes_grade = answer.id not in numbers
            number = numbers.setdefault(answer.id, len(numbers) + 1)
            has_page = engine.answer(answer.id) is not None
            rank = ranks.get(answer.id)
            rows.append(Row(answer, number, rank, takes_grade, has_page, is_judgeable(answer.id)))
        found.append(Side(side.name, side.is_served, side.replay, tuple(rows), side.problem))
    return found


def _page(
    asked: Asked, note: str = "", problem: str = "", status: int = 200, typed: Mapping[str, str] | None = None
) -> Response:
    sides: list[Side] = []
    manifests: list[Manifest] = []
    job: Job | None = None
    case: JudgedCase | None = None
    gone: frozenset[str] = frozenset()
    if len(asked.written) > MAX_QUESTION_CHARS and not problem:
        problem, status = f"问题太长：最多 {MAX_QUESTION_CHARS} 个字。", 400
    elif asked.written.strip() and not asked.question and not problem:
        problem, status = "问题里没有文字。", 400
    try:
        manifests = list_manifests(services().data_dir)
        if asked.question:
            case = find_judged_case(services().data_dir, case_id(asked.question))
            engine = services().engine.get()
            sides, job = _sides(asked, engine, manifests)
            gone = gone_answers(case) if case else gone
    except BadQuery as error:
        problem, status = problem or str(error), 400
    except IndexerError as error:
        problem = problem or str(error)
    shown = {row.answer.id for side in sides for row in side.rows}
    page = render_template(
        "desk/replay.html",
        asked=asked,
        sides=sides,
        job=job if job and job.status == "running" else None,
        failed=job is not None and job.status != "running",
        names=[manifest.generation for manifest in reversed(manifests)],
        case=case,
        grades=_held(case, typed),
        rest=[each for each in case.grades if each.answer not in shown] if case else [],
        gone=gone,
        typed=typed or {},
        alone=ALONE,
        limits=sorted({DEFAULT_ANSWERS, MAX_ANSWERS, asked.limit}),
        max_question_chars=MAX_QUESTION_CHARS,
        note=note,
        problem=problem,
    )
    return make_response(page, status)


def _held(case: JudgedCase | None, typed: Mapping[str, str] | None) -> Mapping[str, str]:
    """The chosen grade of each answer, as its radio button has it: what was typed last, else what is kept."""
    kept = {each.answer: str(each.grade) for each in case.grades} if case else {}
    chosen = {
        name.removeprefix(GRADE_FIELD): value for name, value in (typed or {}).items() if name.startswith(GRADE_FIELD)
    }
    return {**kept, **chosen}
