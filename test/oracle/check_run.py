"""Replays a run of ours in PyTorch and compares the losses of every step.

  1. data add train.csv … with --validation and --test files, so that the training split is the whole file in its order
  2. run start.json            (the same plan with "maxSteps": 0)   and   export RUN --format peft|merged --to START
  3. run plan.json --init START --json > events.jsonl                ("shuffle": false, "modelDropout": 0)
  4. check_run.py START --base BASE --plan plan.json --rows train.csv --events events.jsonl --text-column text --label-column label

Methods: lora (START is a peft folder), full, head, bitfit (START is a merged folder).
"""
import argparse
import csv
import json
import sys
from math import ceil
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("start", type=Path)
for name in ("base", "plan", "rows", "events"):
    parser.add_argument(f"--{name}", type=Path, required=True)
parser.add_argument("--text-column", default="text")
parser.add_argument("--pair-column")
parser.add_argument("--label-column", default="label")
options = parser.parse_args()

plan = json.loads(options.plan.read_text())
training = {"epochs": 3, "maxSteps": None, "batchSize": 16, "maxLength": 128, "optimizer": "adamw", "learningRate": 0.001, "schedule": "linear",
            "warmupRatio": 0.06, "weightDecay": 0.01, "gradientClip": 1.0, **plan["training"]}
events = [json.loads(line) for line in options.events.read_text().splitlines() if line.startswith("{")]
ours = [event["loss"] for event in events if event.get("event") == "step"]
with open(options.rows, newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
labels = sorted({row[options.label_column] for row in rows})

method = plan["method"]["type"]
torch.manual_seed(0)
model = AutoModelForSequenceClassification.from_pretrained(options.base if method == "lora" else options.start, num_labels=len(labels), dtype=torch.float32)
if method == "lora":
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, options.start, is_trainable=True)
else:
    head = lambda name: name.startswith(("classifier.", "pre_classifier."))
    trains = {"full": lambda name: True, "head": head, "bitfit": lambda name: head(name) or name.endswith("bias")}[method]
    for name, parameter in model.named_parameters():
        parameter.requires_grad = trains(name)
model.eval()  # dropout 0; nothing else differs between the modes

plain = lambda name: name.endswith("bias") or "norm" in name.lower()
named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
groups = [{"params": [p for n, p in named if not plain(n)], "weight_decay": training["weightDecay"]}, {"params": [p for n, p in named if plain(n)], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=training["learningRate"]) if training["optimizer"] == "adamw" else torch.optim.SGD(groups, lr=training["learningRate"])
size = training["batchSize"]
per_epoch = ceil(len(rows) / size)
total = training["maxSteps"] or ceil(per_epoch * training["epochs"])
warmup = ceil(total * training["warmupRatio"])
schedule = {"linear": lambda: get_linear_schedule_with_warmup(optimizer, warmup, total), "cosine": lambda: get_cosine_schedule_with_warmup(optimizer, warmup, total),
            "constant": lambda: get_constant_schedule_with_warmup(optimizer, warmup)}[training["schedule"]]()
tokenizer = AutoTokenizer.from_pretrained(options.base)
worst = 0.0
for step, loss_of_ours in enumerate(ours):
    start = (step % per_epoch) * size
    part = rows[start:start + size]
    batch = tokenizer([row[options.text_column] for row in part], [row[options.pair_column] for row in part] if options.pair_column else None,
                      padding=True, truncation=True, max_length=training["maxLength"], return_tensors="pt")
    if model.config.model_type == "distilbert":
        batch.pop("token_type_ids", None)
    optimizer.zero_grad()
    loss = model(**batch, labels=torch.tensor([labels.index(row[options.label_column]) for row in part])).loss
    loss.backward()
    if training["gradientClip"]:
        torch.nn.utils.clip_grad_norm_([p for _, p in named], training["gradientClip"])
    optimizer.step()
    schedule.step()
    difference = abs(loss_of_ours / loss.item() - 1)
    worst = max(worst, difference)
    print(f"step {step + 1:3}  theirs {loss.item():.6f}  ours {loss_of_ours:.6f}  relative {difference:.1e}")
print(json.dumps({"steps": len(ours), "worst": worst, "passed": bool(ours) and worst < 1e-3}))
sys.exit(0 if ours and worst < 1e-3 else 1)
