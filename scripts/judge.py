"""Grades for the judged questions of the corpus: sheets to read, and the way of their grades into qrels.tsv.

    python scripts/judge.py sheet --data DATA [--topic 痛经 ...] > sheet.txt
    python scripts/judge.py take sheet.txt grades.txt --data DATA

A sheet holds, for each topic, the questions that have no grade yet, every answer of the topic, and what the engine
ranks first for each question and its twins from other topics. Whoever has read them writes one line a question:

    dysmenorrhea-1 3: A12 A15 2: A3 1: A4 A30

Grades: 3 answers what was asked, 2 answers it in part or among much else, 1 is about the illness and helps a little,
0 (all that the line does not name) does not help. A copy gets its original's grade; one that breaks off, one less.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from page_templates.dirt import with_dirt
from page_templates.labels import path_of
from page_templates.source import read_source

from indexer.engine import Engine, open_engine
from indexer.errors import BadQuery
from indexer.quality_gate.evaluate import read_qrels
from indexer.records import Answer
from indexer.verdicts import Flaw

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
FOLDERS = (CORPUS / "judgements", CORPUS / "judgements" / "held_out")
CANDIDATES = 6  #: so many of the first answers are read for each spelling of a question
_GRADE = re.compile(r"([0-3]):((?:\s+A\d+)*)")


@dataclass
class Question:
    """A judged question with all its spellings."""

    id: str
    topic: str
    texts: list[str]
    folder: Path
    candidates: list[str] = field(default_factory=list)  #: ids of answers of other topics


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes a sheet or takes grades; returns the exit status."""
    parser = argparse.ArgumentParser(description="Grade answers for the judged questions of the corpus.")
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="print what is to be read")
    sheet.add_argument("--topic", action="append", default=[], help="only this topic")
    take = commands.add_parser("take", help="write grades into qrels.tsv")
    take.add_argument("sheet", type=Path)
    take.add_argument("grades", type=Path)
    for command in (sheet, take):
        command.add_argument("--data", type=Path, required=True, help="data directory with the corpus built")
    options = parser.parse_args(arguments)
    engine = open_engine(options.data)
    answers = {answer.id: answer for answer in engine.answers()}
    if options.command == "sheet":
        print_sheet(open_questions(options.topic), engine, answers)
        return 0
    try:
        grades = read_grades(options.sheet, options.grades)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    write_qrels(with_copies(grades, answers))
    print(f"{len(grades)} questions graded.", file=sys.stderr)
    return 0


def questions() -> list[Question]:
    """All judged questions, held out or not, in file order."""
    found: dict[str, Question] = {}
    for folder in FOLDERS:
        for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
            query = json.loads(line)
            if "twin_of" in query:
                found[query["twin_of"]].texts.append(query["text"])
            else:
                found[query["id"]] = Question(query["id"], query["topic"], [query["text"]], folder)
    return list(found.values())


def open_questions(topics: Sequence[str]) -> list[Question]:
    """The questions of some topics, or of all, that have no grade yet."""
    graded = {id_ for folder in FOLDERS for id_ in _qrels(folder)}
    return [one for one in questions() if one.id not in graded and (not topics or one.topic in topics)]


def print_sheet(asked: Iterable[Question], engine: Engine, answers: Mapping[str, Answer]) -> None:
    """One part a topic: its questions, its answers, and answers of other topics that the engine ranks high."""
    topic_of_page = {
        path_of(page).removeprefix("raw/"): page.topic
        for page in with_dirt(read_source(CORPUS / "source"), CORPUS / "dirt.yaml")
    }
    by_topic: dict[str, list[Question]] = defaultdict(list)
    for question in asked:
        by_topic[question.topic].append(question)
    number = 0
    for topic, members in sorted(by_topic.items()):
        own = [answer.id for answer in answers.values() if topic_of_page[answer.page] == topic and not answer.copy_of]
        for question in members:
            question.candidates = [id_ for id_ in _first(question, engine, answers) if id_ not in own]
        others = list(dict.fromkeys(id_ for question in members for id_ in question.candidates))
        names = {id_: f"A{number + place}" for place, id_ in enumerate([*own, *others], 1)}
        number += len(names)
        print(f"## {topic}")
        for id_, name in names.items():
            if id_ == next(iter(others), None):
                print("-- of other topics")
            answer = answers[id_]
            print(f"{name} {id_} [{answer.question}] {answer.text.replace(chr(10), ' ')}")
        for question in members:
            print(f"? {question.id} {' = '.join(question.texts)}")
            print("  read also: " + " ".join(names[id_] for id_ in question.candidates))
        print()


def _first(question: Question, engine: Engine, answers: Mapping[str, Answer]) -> list[str]:
    """What the engine ranks first for each spelling, copies as their originals, in order, each once."""
    found: dict[str, None] = {}
    for text in question.texts:
        try:
            ranking = engine.retrieve(text, CANDIDATES)
        except BadQuery:  # nothing in it to search for
            continue
        for id_, _ in ranking:
            found[answers[id_].copy_of or id_] = None
    return list(found)


def read_grades(sheet: Path, grades: Path) -> dict[str, dict[str, int]]:
    """Grade of each answer that a sheet shows for a question. Raises ValueError about a line that is wrong."""
    shown, names = _read_sheet(sheet)
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(grades.read_text(encoding="utf-8").splitlines(), 1):
        question, _, rest = line.strip().partition(" ")
        if not question:
            continue
        if question not in shown or _GRADE.sub("", rest).strip():
            raise ValueError(f"{grades} line {number}: no question of the sheet, or not written as `3: A1 A2 2: A3`.")
        graded = dict.fromkeys((names[name] for name in shown[question]), 0)
        for grade, listed in _GRADE.findall(rest):
            for name in listed.split():
                if name not in names:
                    raise ValueError(f"{grades} line {number}: {name} is not on the sheet.")
                graded[names[name]] = int(grade)
        found[question] = graded
    return found


def _read_sheet(sheet: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Names of the answers to read for each question, and the id behind each name."""
    shown: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    own: list[str] = []
    is_own, question = True, ""
    for line in sheet.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            own, is_own = [], True
        elif line.startswith("-- "):
            is_own = False
        elif line.startswith("A"):
            name, id_, _ = line.split(" ", 2)
            names[name] = id_
            own += [name] if is_own else []
        elif line.startswith("? "):
            question = line.split(" ")[1]
            shown[question] = list(own)
        elif line.startswith("  read also:"):
            shown[question] += line.split()[2:]
    return shown, names


def with_copies(grades: Mapping[str, Mapping[str, int]], answers: Mapping[str, Answer]) -> dict[str, dict[str, int]]:
    """The grades, and for each copy its original's; one that breaks off answers less."""
    found: dict[str, dict[str, int]] = {}
    for question, graded in grades.items():
        found[question] = dict(graded)
        for answer in answers.values():
            if grade := graded.get(answer.copy_of or "", 0):
                is_cut = any(fact.flaw is Flaw.CUT_OFF for fact in answer.quality)
                found[question][answer.id] = grade - is_cut
    return found


def write_qrels(grades: Mapping[str, Mapping[str, int]]) -> None:
    """Put the grades beside those that are there, in TREC's form, sorted."""
    folder_of = {question.id: question.folder for question in questions()}
    for folder in FOLDERS:
        qrels = _qrels(folder) | {id_: dict(graded) for id_, graded in grades.items() if folder_of[id_] == folder}
        lines = [
            f"{question}\t0\t{answer}\t{grade}\n"
            for question, graded in sorted(qrels.items())
            for answer, grade in sorted(graded.items(), key=lambda item: (-item[1], item[0]))
        ]
        (folder / "qrels.tsv").write_text("".join(lines), encoding="utf-8")


def _qrels(folder: Path) -> dict[str, dict[str, int]]:
    file = folder / "qrels.tsv"
    return read_qrels(file) if file.is_file() else {}


if __name__ == "__main__":
    sys.exit(main())
