"""Answers held against those expected, by the official measures: SQuAD 2.0 as transformers 4 carries its script, 1.1 by torchmetrics.

Writes ../fixtures/data/answers.json. Environment `adapters` (its transformers still has squad_metrics), with torchmetrics.
"""
import sys
from pathlib import Path

from torchmetrics.text import SQuAD
from transformers.data.metrics.squad_metrics import squad_evaluate

import common

ANSWERS = [("Denver Broncos", ["Denver Broncos", "The Denver Broncos"]), ("the Broncos!", ["Denver Broncos"]), ("Santa Clara, California", ["Santa Clara", "Levi's Stadium in Santa Clara, California."]),
           ("an apple a day", ["Apple day", "day"]), ("", ["gold"]), ("golden", [""]), ("", [""]), ("", []), ("something", []), ("a", ["the"]), ("The the", ["the"]),
           ("1,000 km", ["1000 km"]), ("U.S.", ["US"]), ("naïve café", ["Naïve Café"]), ("ein Haus", ["Haus ein Haus"]), ("theatre", ["the atre"]), ("straße – nord", ["Straße nord"])]


class Example:
    def __init__(self, qas_id: str, answers: list[str]):
        self.qas_id, self.answers = qas_id, [{"text": text, "answer_start": 0} for text in answers]


def answers(out: Path) -> None:
    examples = [Example(str(i), right) for i, (_, right) in enumerate(ANSWERS)]
    given = {str(i): answer for i, (answer, _) in enumerate(ANSWERS)}
    each = []
    for example in examples:  # v2.0, as transformers carries it; one at a time for the scores of each
        scores = squad_evaluate([example], {example.qas_id: given[example.qas_id]})
        each.append({"answer": given[example.qas_id], "expected": [a["text"] for a in example.answers], "exact": scores["exact"] / 100, "f1": scores["f1"] / 100})
    whole = squad_evaluate(examples, given)
    answered = [(a, right) for a, right in ANSWERS if any(right)]
    old = SQuAD()(  # v1.1
        [{"prediction_text": a, "id": str(i)} for i, (a, _) in enumerate(answered) if a], [{"answers": {"answer_start": [0] * len(r), "text": r}, "id": str(i)} for i, (a, r) in enumerate(answered) if a])
    common.write_json(out / "answers.json", {"versions": common.versions(), "rows": each, "all": {"exact": whole["exact"] / 100, "f1": whole["f1"] / 100},
                                             "squad1": {"rows": [[a, r] for a, r in answered if a], "exact": old["exact_match"].item() / 100, "f1": old["f1"].item() / 100}})


if __name__ == "__main__":
    answers(common.output_folder() if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "data")
