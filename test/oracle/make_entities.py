"""Entities by seqeval, and words and windows by transformers' tokenizers.

Writes ../fixtures/data/entities.json (entities of tags in every scheme, malformed ones among them, and scores) and words.json (ids of
sentences with the first token of each word, overflowing windows of question and context). Needs seqeval.
"""
import random
import sys
from pathlib import Path

from seqeval.metrics import classification_report, f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from transformers import AutoTokenizer

import common

TYPES = ["PER", "LOC", "corporation", "creative-work"]


def entities(out: Path) -> None:
    order = random.Random(5)
    def sentence(prefixes: str) -> list[str]:
        return ["O" if order.random() < 0.35 else f"{order.choice(prefixes)}-{order.choice(TYPES[:2] if order.random() < 0.8 else TYPES)}" for _ in range(order.randrange(1, 12))]
    def changed(tags: list[str]) -> list[str]:
        return [order.choice(["O", "B-PER", "I-PER", "I-LOC", tag]) if order.random() < 0.4 else tag for tag in tags]
    # Of E and S no lone malformed ones: seqeval ends chunks there in ways of its own, which BIO cannot say.
    schemes = {name: [sentence(prefixes) for _ in range(60)] for name, prefixes in (("bio", "BI"), ("iob1", "I"))}
    bioes = []
    for _ in range(40):
        tags: list[str] = []
        while len(tags) < 8:
            kind, length = order.choice(TYPES), order.randrange(0, 4)
            tags += ["O"] if length == 0 else [f"S-{kind}"] if length == 1 else [f"B-{kind}", *[f"I-{kind}"] * (length - 2), f"E-{kind}"]
        bioes.append(tags)
    schemes["bioes"] = bioes
    read = {name: [{"tags": tags, "entities": [[a, b + 1, t] for t, a, b in get_entities(tags)]} for tags in rows] for name, rows in schemes.items()}
    truth = schemes["bio"]
    predicted = [changed(tags) for tags in truth]
    report = classification_report(truth, predicted, output_dict=True, zero_division=0)
    common.write_json(out / "entities.json", {
        "versions": common.versions(), "schemes": read, "truth": truth, "predicted": predicted,
        "scores": {"precision": precision_score(truth, predicted), "recall": recall_score(truth, predicted), "f1": f1_score(truth, predicted)},
        "types": {name: {key: float(value) for key, value in row.items()} for name, row in report.items() if " avg" not in name}})


SENTENCES = [["Empire", "State", "Building", "=", "ESB", "."], ["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "."], ["@paulwalk", "It", "'s", "😀", "weather-wise", "good"],
             ["une", "journée", "à", "Paris", "!!"], ["a"]]
QUESTIONS = [("What is cooked?", "The soup is cooked in a large pot. The rain falls on the town while the train to the coast leaves, and the soup is eaten at the table with bread and butter and wine."),
             ("Where does the train go?", "It goes to the coast 😀 on a sunny day.")]


def words(out: Path) -> None:
    models = common.output_folder() / "models" if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "oracle" / "models"
    made = {}
    for kind, options in (("bert", {}), ("roberta", {})):
        tokenizer = AutoTokenizer.from_pretrained(models / kind, **options)
        rows = []
        for sentence in SENTENCES:
            text, starts = " ".join(sentence), []
            for word in sentence:
                starts.append(len(" ".join(sentence[:len(starts)])) + (1 if starts else 0))
            encoded = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=14)
            # As run_ner.py has it for split words, from the places in the joined text: the first token that holds a letter of the word.
            first = []
            for start, word in zip(starts, sentence):
                first.append(next((i for i, (a, b) in enumerate(encoded["offset_mapping"]) if b > a and a < start + len(word) and b > start), -1))
            split = tokenizer(sentence, is_split_into_words=True, truncation=True, max_length=14).word_ids() if kind == "bert" else None
            rows.append({"words": sentence, "ids": encoded["input_ids"], "first": first, "wordIds": split})
        windows = []
        for question, context in QUESTIONS:
            encoded = tokenizer(question, context, truncation="only_second", max_length=32, stride=6, return_overflowing_tokens=True, return_offsets_mapping=True)
            windows.append({"question": question, "context": context, "windows": [
                {"ids": ids, "typeIds": types, "context": [list(o) if s == 1 else None for o, s in zip(offsets, encoded.sequence_ids(i))]}
                for i, (ids, types, offsets) in enumerate(zip(encoded["input_ids"], encoded.get("token_type_ids") or [[0] * len(x) for x in encoded["input_ids"]], encoded["offset_mapping"]))]})
        made[kind] = {"rows": rows, "windows": windows}
    common.write_json(out / "words.json", {"versions": common.versions(), **made})


if __name__ == "__main__":
    folder = (common.output_folder() if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "data")
    entities(folder)
    words(folder)
