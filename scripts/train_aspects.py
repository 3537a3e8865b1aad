"""Makes the model that tells a question's main aspect, and measures it.

    pip install scikit-learn
    python scripts/train_aspects.py --tune ../shared/eval/query_aspects/queries.jsonl     measure by cross-validation
    python scripts/train_aspects.py --tune ... --write                                    and write the model

The n-gram layer learns from corpus/aspects/questions.tsv, which we wrote. The second layer, some two hundred weights a
class over the features of lexicon/aspects.toml and the n-gram layer's scores, is tuned on labelled questions ({"text",
"intent"} a line, with the labels of TABLE); no text of theirs is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.aspects import MODEL, AspectRules, abstracted, features, load_rules, ngrams

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "corpus" / "resources"
QUESTIONS = ROOT / "corpus" / "aspects" / "questions.tsv"
#: labels of the public set KUAKE-QIC -> ours. 饮食 and 预防 are told apart from 护理 by their words (Aspects.find).
TABLE = {
    "病情诊断": "诊断",
    "病因分析": "病因",
    "治疗方案": "治疗",
    "就医建议": "就医",
    "指标解读": "检查",
    "疾病表述": "症状",
    "后果表述": "预后",
    "注意事项": "护理",
    "功效作用": "用药",
    "医疗费用": "费用",
    "其他": "",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains, measures and perhaps writes; returns the exit status."""
    parser = argparse.ArgumentParser(description="Train the model of a question's main aspect.")
    parser.add_argument("--tune", type=Path, required=True, help="labelled questions for the second layer")
    parser.add_argument("--write", action="store_true", help="write the model into the resources")
    options = parser.parse_args(arguments)
    analyzer, rules = load_analyzer(RESOURCES), load_rules(RESOURCES)
    written = [line.split("\t") for line in QUESTIONS.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    grams = TfidfVectorizer(analyzer=ngrams, min_df=2, sublinear_tf=True, lowercase=False)
    counted = grams.fit_transform([wording(analyzer, text) for _, text in written])
    first = LogisticRegression(C=5, max_iter=3000).fit(counted, [aspect for aspect, _ in written])

    tuned = [json.loads(line) for line in options.tune.read_text(encoding="utf-8").splitlines()]
    right = [TABLE[record["intent"]] for record in tuned]
    shares = first.predict_proba(grams.transform([wording(analyzer, record["text"]) for record in tuned]))
    rows = [
        shown(analyzer, rules, record["text"]) | scored(first.classes_, row)
        for record, row in zip(tuned, shares, strict=True)
    ]
    second = make_pipeline(DictVectorizer(), LogisticRegression(C=0.3, max_iter=3000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(second, rows, right, cv=folds)
    print(
        f"accuracy {accuracy_score(right, found):.3f}, macro-F1 {f1_score(right, found, average='macro'):.3f}", end=""
    )
    print(f" ({len(right)} questions, 5 folds for the second layer, {len(written)} questions of ours for the first)")
    if options.write:
        write(grams, first, second.fit(rows, right))
    return 0


def wording(analyzer: Analyzer, text: str) -> str:
    """What the n-grams are made of."""
    asked = analyzer.question_terms(text)
    return abstracted(asked.text, asked.mentions, analyzer.lexicon)


def shown(analyzer: Analyzer, rules: AspectRules, text: str) -> dict[str, float]:
    """The features of a question."""
    asked = analyzer.question_terms(text)
    return dict.fromkeys(features(rules, asked.text, asked.mentions, analyzer.lexicon), 1.0)


def scored(classes: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    """The n-gram layer's scores as features of the second."""
    return {f"ngrams={aspect}": float(np.log(share + 1e-3)) for aspect, share in zip(classes, shares, strict=True)}


def write(grams: TfidfVectorizer, first: LogisticRegression, second: object) -> None:
    """The model as arrays, without pickles."""
    vectorizer, layer = second.steps[0][1], second.steps[1][1]  # type: ignore[attr-defined]
    assert list(first.classes_) == list(layer.classes_)
    names = [name for name in vectorizer.feature_names_ if not name.startswith("ngrams=")]
    order = [vectorizer.vocabulary_[name] for name in [*names, *(f"ngrams={aspect}" for aspect in first.classes_)]]
    np.savez_compressed(
        RESOURCES / MODEL,
        classes=np.array(list(first.classes_)),
        ngrams=np.array("\n".join(grams.get_feature_names_out())),
        ngram_idf=grams.idf_.astype(np.float16),
        ngram_weights=first.coef_.T.astype(np.float16),
        ngram_bias=first.intercept_.astype(np.float32),
        features=np.array("\n".join(names)),
        weights=layer.coef_.T[order].astype(np.float32),
        bias=layer.intercept_.astype(np.float32),
    )
    print(f"{RESOURCES / MODEL}: {(RESOURCES / MODEL).stat().st_size / 1000:.0f} kB", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
