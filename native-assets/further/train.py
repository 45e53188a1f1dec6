"""Trains plan.json with transformers, peft and accelerate as PEFT Studio does, and writes a result that the studio takes back.

    accelerate launch train.py      on one device or many; `python train.py` does for one

The same rows in the same order and the same number of them a step, on however many processes; the same loss, schedule, clipping and
validation; the test split read once, with the best parameters.
"""
import argparse
import hashlib
import importlib.metadata
import inspect
import json
import math
import platform
import re
import statistics
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from torch.nn import functional
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from measures import MEASURES, is_better, score
from rows import order_of, parts_of, read_rows

here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", type=Path, default=here / "result", help="folder of the result")
parser.add_argument("--model", type=Path, default=here / "model", help="folder of the base model, where it is not beside this file")
parser.add_argument("--seed", type=int, help="another seed than the plan's")
options = parser.parse_args()

setup_text = (here / "setup.json").read_bytes()
setup, plan = json.loads(setup_text), json.loads((here / "plan.json").read_text(encoding="utf-8"))
training, objective, labels = plan["training"], setup["objective"], setup["labels"]
if options.seed is not None:
    training["seed"] = options.seed
seed = training["seed"]
if plan["method"] != setup["method"]:
    sys.exit("plan.json has another method than setup.json: export the project again for it.")
if setup["drawn"] and setup["drawn"] != {"examplesPerClass": training["examplesPerClass"], "seed": seed}:
    sys.exit("data/train.jsonl holds the examples that were drawn by another seed or number: export the project again for it.")
weights = sorted(options.model.glob("*.safetensors"))
hashes = [hashlib.file_digest(open(file, "rb"), "sha256").hexdigest() for file in weights]
if hashlib.sha256(",".join(hashes).encode()).hexdigest() != setup["model"]["weights"]:
    sys.exit(f"{options.model} does not hold the weights of {setup['model']['name']} that the plan was made for.")

accelerator = Accelerator()
set_seed(seed)
standard = setup["standard"] or {"center": 0.0, "scale": 1.0}  # numbers are learned as standard scores of the training rows

# Data: every row tokenized once; classes as their place among the labels, several labels as 1 or 0 of each.
tokenizer = AutoTokenizer.from_pretrained(options.model)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token


def target_of(label: str):
    if objective == "classification":
        return labels.index(label)
    if objective == "regression":
        return float(label)
    return [float(name in json.loads(label)) for name in labels]


class Split:
    def __init__(self, name: str):
        rows = read_rows(here / setup["data"][name]["file"]) if setup["data"][name] else []
        self.targets = [target_of(row["label"]) for row in rows]
        self.inputs = [tokenizer(row["text"], row["pair"], truncation=True, max_length=training["maxLength"]) for row in rows]

    def batch(self, places: list[int]) -> dict:
        padded = tokenizer.pad([self.inputs[place] for place in places], return_tensors="pt")
        return {name: padded[name].to(accelerator.device) for name in padded if name in accepted}


train, validation, test = Split("train"), Split("validation"), Split("test")

# Model: the base with a fresh head, and what trains of it or beside it.
config = AutoConfig.from_pretrained(options.model)
config.id2label = dict(enumerate(labels or ["LABEL_0"]))
config.label2id = {name: place for place, name in config.id2label.items()}
config.problem_type = {"classification": "single_label_classification", "multi-label": "multi_label_classification", "regression": "regression"}[objective]
config.pad_token_id = tokenizer.pad_token_id
if training["modelDropout"] is not None:
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "dropout", "attention_dropout", "seq_classif_dropout", "resid_pdrop", "embd_pdrop", "attn_pdrop"):
        if hasattr(config, name):
            setattr(config, name, training["modelDropout"])
model = AutoModelForSequenceClassification.from_pretrained(options.model, config=config, dtype=torch.float32, ignore_mismatched_sizes=True)
if training["gradientCheckpointing"]:
    model.gradient_checkpointing_enable({"use_reentrant": False})
accepted = set(inspect.signature(model.forward).parameters)

steps_per_epoch = math.ceil(len(train.targets) / training["batchSize"])
total = math.ceil(training["epochs"] * steps_per_epoch) if training["maxSteps"] is None else training["maxSteps"]
adalora = None
if setup["trains"]["peft"]:
    from peft import get_peft_config, get_peft_model

    keys = dict(setup["trains"]["peft"])
    if keys["peft_type"] == "ADALORA":
        keys["total_step"] = total
        keys["tinit"] = total // 10 if keys["tinit"] is None else keys["tinit"]
        keys["tfinal"] = total * 3 // 10 if keys["tfinal"] is None else keys["tfinal"]
    if keys.get("tokenizer_name_or_path"):
        keys["tokenizer_name_or_path"] = str(options.model)
    model = get_peft_model(model, get_peft_config(keys))
    adalora = model if keys["peft_type"] == "ADALORA" else None
else:
    names = set(setup["trains"]["weights"])
    missing = names - {name for name, _ in model.named_parameters()}
    if missing:
        sys.exit(f"The model has no {sorted(missing)[0]}, which is to be trained.")
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name in names
trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
plain = model  # as it is without what accelerate wraps it in

# Optimizer: no decay on vectors; LoRA+ lets B and vectors learn faster.
faster = setup["trains"]["loraPlusRatio"]
groups = {}
for name, parameter in trained.items():
    key = (parameter.dim() > 1, faster if re.search(r"lora_B|lora_magnitude_vector|bias$", name) else 1)
    groups.setdefault(key, []).append(parameter)
rate, first_factor = training["learningRate"], next(iter(groups))[1]
settings = [{"params": some, "lr": rate * factor, "weight_decay": training["weightDecay"] if decays else 0.0} for (decays, factor), some in groups.items()]
optimizer = torch.optim.AdamW(settings, lr=rate) if training["optimizer"] == "adamw" else torch.optim.SGD(settings, lr=rate)
warmup = math.ceil(training["warmupRatio"] * total)
schedule = {"linear": lambda: get_linear_schedule_with_warmup(optimizer, warmup, total), "cosine": lambda: get_cosine_schedule_with_warmup(optimizer, warmup, total),
            "constant": lambda: get_constant_schedule_with_warmup(optimizer, warmup)}[training["schedule"]]()
model, optimizer = accelerator.prepare(model, optimizer)
class_weights = torch.tensor(setup["classWeights"] or [1.0] * len(labels or [0]), device=accelerator.device)


def weight_of(places: list[int]) -> float:
    return sum(class_weights[train.targets[place]].item() for place in places) if objective == "classification" else float(len(places))


def summed_loss(places: list[int]) -> torch.Tensor:
    logits, targets = model(**train.batch(places)).logits.float(), torch.tensor([train.targets[place] for place in places], device=accelerator.device)
    if objective == "classification":
        return functional.cross_entropy(logits, targets, weight=class_weights, reduction="sum")
    if objective == "regression":
        return ((logits[:, 0] - (targets - standard["center"]) / standard["scale"]) ** 2).sum()
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(1).sum()


def adalora_penalty() -> torch.Tensor | float:
    """How far P and Q are from orthogonal."""
    if adalora is None:
        return 0.0
    some = [p @ p.T if "lora_A" in name else p.T @ p for name, p in trained.items() if "lora_A" in name or "lora_B" in name]
    return adalora.peft_config["default"].orth_reg_weight * sum(torch.linalg.norm(p - torch.eye(len(p), device=p.device)) for p in some) / len(some)


def train_step(step: int) -> dict:
    """One update by the rows of the whole step: each process takes its share of them."""
    start = step % steps_per_epoch * training["batchSize"]
    rows = orders(step // steps_per_epoch)[start:start + training["batchSize"]]
    own, whole, processes = rows[accelerator.process_index::accelerator.num_processes], weight_of(rows), accelerator.num_processes
    parts = parts_of(own or rows[:1], training["accumulationSteps"])
    loss = torch.zeros((), device=accelerator.device)
    for place, part in enumerate(parts):
        with accelerator.no_sync(model) if place < len(parts) - 1 else nullcontext():
            # A process without rows goes along with a loss of 0; gradients are averaged over the processes.
            share = summed_loss(part) / whole * bool(own) + adalora_penalty() / (len(parts) * processes)
            accelerator.backward(share * processes)
            loss += share.detach()
    norm = accelerator.clip_grad_norm_(list(trained.values()), training["gradientClip"] or math.inf)
    told = {"step": step + 1, "loss": accelerator.reduce(loss, "sum").item() * standard["scale"] ** 2, "learningRate": schedule.get_last_lr()[0] / first_factor, "gradientNorm": float(norm)}
    optimizer.step()
    schedule.step()
    if adalora is not None:
        adalora.base_model.update_and_allocate(step + 1)
    optimizer.zero_grad()
    return told


kept_order = (-1, [])


def orders(epoch: int) -> list[int]:
    global kept_order
    if kept_order[0] != epoch:
        kept_order = (epoch, order_of(len(train.targets), seed, epoch, training["shuffle"]))
    return kept_order[1]


@torch.no_grad()
def answers(split: Split) -> list[list[float]]:
    """Logits of every row, in the split's order; numbers in the data's unit."""
    model.eval()
    own, found = list(range(len(split.targets)))[accelerator.process_index::accelerator.num_processes], []
    for start in range(0, len(own), 64):
        places = own[start:start + 64]
        logits = model(**split.batch(places)).logits.float() * standard["scale"] + standard["center"]
        found += zip(places, logits.tolist())
    model.train()
    return [row for _, row in sorted(gather_object(found))]


def fold_standard() -> None:
    """Takes center and scale into the head's last layer, so that the saved model gives numbers in the data's unit."""
    if setup["standard"]:
        weight = [name for name, p in trained.items() if p.dim() == 2 and p.shape[0] == 1][-1]
        bias = trained.get(weight.removesuffix("weight") + "bias")
        with torch.no_grad():
            trained[weight].mul_(standard["scale"])
            if bias is not None:
                bias.mul_(standard["scale"]).add_(standard["center"])


steps, validations, best, without_gain, stopped, seconds = [], [], None, 0, False, []
begun = time.perf_counter()


def validate(step: int) -> None:
    global best, without_gain
    scores = score[objective](answers(validation), validation.targets)
    better = is_better(objective, scores, best and best["scores"])
    without_gain = 0 if better else without_gain + 1
    if better:
        ranks = adalora and adalora.peft_config["default"].rank_pattern
        best = {"step": step, "scores": scores, "ranks": ranks, "values": {name: p.detach().cpu().clone() for name, p in trained.items()}}
    validations.append({"step": step, "best": better, **scores})
    accelerator.print(f"step {step}: " + ", ".join(f"{name} {scores[name]}" for name in [*MEASURES[objective], "loss"]) + (", best so far" if better else ""))


every = training["validateEverySteps"] or steps_per_epoch
if total == 0 and validation.targets:
    validate(0)
model.train()
while len(steps) < total and not stopped:
    before = time.perf_counter()
    steps.append(train_step(len(steps)))
    seconds.append(time.perf_counter() - before)
    steps[-1]["seconds"] = seconds[-1]
    if not math.isfinite(steps[-1]["loss"]):
        sys.exit(f"The loss of step {len(steps)} is no longer a finite number: lower training.learningRate in plan.json.")
    if validation.targets and (len(steps) == total or len(steps) % every == 0):
        validate(len(steps))
        patience = training["earlyStoppingPatience"]
        stopped = patience is not None and without_gain >= patience and len(steps) < total
training_seconds = time.perf_counter() - begun

if best is not None:
    with torch.no_grad():
        for name, value in best["values"].items():
            trained[name].copy_(value)
    if adalora is not None:
        adalora.peft_config["default"].rank_pattern = best["ranks"]
test_logits = answers(test) if plan["readTest"] and test.targets else None
fold_standard()
if accelerator.device.type == "cuda":
    device, peak = torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()
else:
    device, peak = f"{accelerator.device.type} {platform.processor() or platform.machine()}", None
if accelerator.is_main_process:
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "setup.json").write_bytes(setup_text)
    if setup["trains"]["peft"]:
        plain.peft_config["default"].base_model_name_or_path = setup["model"]["name"]
        plain.save_pretrained(options.out / "trained", save_embedding_layers=False)
    else:
        plain.save_pretrained(options.out / "trained")
        tokenizer.save_pretrained(options.out / "trained")
    result = {
        "format": "peft-studio-result", "version": 1, "setup": hashlib.sha256(setup_text).hexdigest(), "plan": plan,
        "versions": {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "accelerate")}},
        "device": device, "processes": accelerator.num_processes, "precision": accelerator.mixed_precision,
        "secondsPerStep": statistics.median(seconds) if seconds else None, "trainingSeconds": training_seconds, "peakMemoryBytes": peak,
        "steps": steps, "validations": validations, "bestStep": best["step"] if best else len(steps), "stoppedEarly": stopped,
        "test": None if test_logits is None else {"scores": score[objective](test_logits, test.targets), "logits": test_logits},
    }
    (options.out / "result.json").write_text(json.dumps(result), encoding="utf-8")
    if result["test"]:
        print("test: " + ", ".join(f"{name} {value}" for name, value in result["test"]["scores"].items()))
    print(f"Wrote {options.out}. Take it back: peft-studio take-back {options.out}")
