"""Shared by the check_*.py scripts: rows and our answers in, a verdict out.

Our answers come in one of two forms:
  --logits FILE       JSON {"rows": [{"text": …, "pair": …|null}], "labels": […], "maxLength": n, "logits": [[…]]}
  --predictions FILE  what `peft-studio predict RUN --file ROWS.csv --text-column COL --json` printed, with --rows ROWS.csv
"""
import argparse
import csv
import json
import sys
from pathlib import Path

import torch


def arguments(description: str, base: bool) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path, help="the export")
    if base:
        parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    parser.add_argument("--logits", type=Path)
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--rows", type=Path, help="CSV whose rows the predictions answer, in order")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--pair-column")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--limit", type=int, default=200, help="rows to check")
    return parser.parse_args()


def read_answers(options: argparse.Namespace) -> tuple[list, list[str], torch.Tensor, str]:
    """Texts (or pairs), names of the head's outputs in order, our numbers [rows, outputs], and what they are of logits: these, or their softmax or sigmoid."""
    if options.logits:
        value = json.loads(options.logits.read_text())
        options.max_length = value.get("maxLength", options.max_length)
        texts = [(row["text"], row["pair"]) if row.get("pair") else row["text"] for row in value["rows"]]
        return texts[:options.limit], value["labels"], torch.tensor(value["logits"])[:options.limit], "logits"
    events = [json.loads(line) for line in options.predictions.read_text().splitlines() if line.strip()]
    events = sorted((e for e in events if e.get("event") == "prediction"), key=lambda e: e["row"])[:options.limit]
    with open(options.rows, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text_of = lambda row: (row[options.text_column], row[options.pair_column]) if options.pair_column else row[options.text_column]
    texts = [text_of(rows[e["row"]]) for e in events]
    if "value" in events[0]:
        return texts, ["LABEL_0"], torch.tensor([[e["value"]] for e in events]), "logits"
    labels = sorted(events[0]["probabilities"])
    shares = torch.tensor([[e["probabilities"][label] for label in labels] for e in events])
    return texts, labels, shares, "sigmoid" if "labels" in events[0] else "softmax"


def tokenized(tokenizer, texts: list, max_length: int):
    """Batches of 16 as PyTorch tensors, padded to the longest row."""
    for start in range(0, len(texts), 16):
        part = texts[start:start + 16]
        if isinstance(part[0], tuple):
            yield tokenizer([a for a, _ in part], [b for _, b in part], padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        else:
            yield tokenizer(part, padding=True, truncation=True, max_length=max_length, return_tensors="pt")


def logits_of(model: torch.nn.Module, tokenizer, texts: list, max_length: int) -> torch.Tensor:
    ignored = {"token_type_ids"} if model.config.model_type == "distilbert" else set()
    with torch.no_grad():
        return torch.cat([model(**{k: v for k, v in batch.items() if k not in ignored}).logits for batch in tokenized(tokenizer, texts, max_length)])


def verdict(theirs: torch.Tensor, ours: torch.Tensor, what: str, tolerance: float) -> None:
    """Prints the largest difference and ends the process: 0 when within tolerance, 1 otherwise."""
    if what != "logits":
        theirs = theirs.softmax(-1) if what == "softmax" else theirs.sigmoid()
    difference = (theirs - ours).abs().max().item()
    same = ((theirs >= 0.5) == (ours >= 0.5)).all(-1).float().mean().item() if what == "sigmoid" else (theirs.argmax(-1) == ours.argmax(-1)).float().mean().item()
    passed = theirs.shape == ours.shape and difference <= tolerance
    print(json.dumps({"rows": len(ours), "compared": what, "largestDifference": difference, "sameLabels": same, "passed": passed}))
    sys.exit(0 if passed else 1)
