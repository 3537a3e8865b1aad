"""One reply of each call, for the document and the page about the API. All of it is written by us."""

from __future__ import annotations

from typing import Any

_TEXT = "面肌痉挛可以用肉毒素注射治疗，效果一般维持三到六个月。\n反复发作时可以考虑微血管减压术。"

_TRUST = {
    "site": "example.com",
    "state": "trusted",
    "evidence": "由三级医院主办，每条回答都有医生署名。",
    "link": "https://www.example.com/about",
}

_HIT = {
    "rank": 1,
    "id": "0123456789abcdef",
    "score": 0.912345,
    "kind": "doctor_answer",
    "question": "面肌痉挛怎么治？",
    "answer": _TEXT,
    "snippet": "面肌痉挛可以用肉毒素注射治疗，效果一般维持三到六个月。",
    "highlights": [[0, 4]],
    "author": "王医生",
    "date": "2013-05-06T08:30:00",
    "url": "https://www.example.com/a.html",
    "site": "www.example.com",
    "topic": "神经内科",
    "copies": 1,
    "more": [{"id": "fedcba9876543210", "question": "面肌痉挛会自己好吗？", "copies": 0}],
    "features": {"entity": 1.0},
    "pinned": False,
    "by_meaning": False,
    "source_trust": _TRUST,
}

_ANSWER_KEYS = ("id", "kind", "question", "answer", "author", "date", "url", "site", "topic")

#: by the operations' ids
REPLIES: dict[str, dict[str, Any]] = {
    "search": {
        "query": "面肌痉挛怎么治",
        "corrected": None,
        "alternatives": [],
        "aspects": ["治疗"],
        "entity": "面肌痉挛",
        "generation": "gen-000003",
        "total": 1,
        "partial": False,
        "meaning": "off",
        "answer": {
            "id": _HIT["id"],
            "text": "面肌痉挛可以用肉毒素注射治疗，效果一般维持三到六个月。",
            "start": 0,
            "end": 27,
            **{key: _HIT[key] for key in ("question", "author", "date", "url", "site")},
        },
        "urgency": None,
        "topic": "面肌痉挛",
        "aspect_counts": {"治疗": 1},
        "unmatched": [],
        "related": ["面肌痉挛会自己好吗"],
        "hits": [_HIT],
        "page": 1,
        "limit": 5,
    },
    "suggest": {
        "query": "mianji",
        "suggestions": [
            {"text": "面肌痉挛", "kind": "term"},
            {"text": "面肌痉挛怎么治", "kind": "question"},
        ],
    },
    "answer": {**{key: _HIT[key] for key in _ANSWER_KEYS}, "views": 1024, "likes": None, "source_trust": _TRUST},
    "topic": {
        "topic": "面肌痉挛",
        "other_names": ["面抽", "脸抽筋"],
        "total": 1,
        "generation": "gen-000003",
        "sections": [{"aspect": "治疗", "count": 1, "hits": [_HIT]}],
    },
    "alive": {"status": "ok"},
    "ready": {"status": "ready", "generation": "gen-000003", "problems": []},
}
