"""The training loop that the parity fixtures record: plain PyTorch, one step at a time, nothing hidden."""
import json
import random
from dataclasses import dataclass, field

import torch
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

import common
from sentences import LABELS, ROWS

STEPS = 20
ROWS_A_BATCH = 8
CLASS_WEIGHTS = {"cooking": 0.5, "travel": 2.0, "weather": 1.0}


@dataclass
class Recipe:
    """One fixture's hyperparameters, named as in the run plan."""
    method: dict
    learningRate: float
    optimizer: str = "adamw"
    weightDecay: float = 0.01
    momentum: float = 0.0
    schedule: str = "linear"
    warmupSteps: int = 2
    steps: int = STEPS
    gradientClip: float | None = 1.0
    microBatches: list[int] = field(default_factory=lambda: [ROWS_A_BATCH])
    classWeights: dict | None = None


def make_batches(tokenizer, pad: int, seed: int = 11) -> list[dict]:
    """20 batches of 8 rows in fixed order, one row in four with a second sentence where it fits; `labels` are class indices."""
    order = random.Random(seed)
    short = [text for text, _ in ROWS if len(text) < 40]
    batches = []
    for _ in range(STEPS):
        rows = order.sample(ROWS, ROWS_A_BATCH)
        texts = [(text, order.choice(short)) if i % 4 == 3 else text for i, (text, _) in enumerate(rows)]
        texts = [text[0] if isinstance(text, tuple) and len(tokenizer.encode(*text).ids) > common.POSITIONS else text for text in texts]
        batch = common.encode(tokenizer, texts, pad)
        batch["labels"] = torch.tensor([LABELS.index(label) for _, label in rows])
        batches.append(batch)
    return batches


def mask_tokens(batches: list[dict], mask: int, special: set[int], seed: int = 13) -> list[dict]:
    """Masked-LM batches: 20 % of the real tokens become the mask token, their ids the labels; -100 elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    masked = []
    for batch in batches:
        ids = batch["input_ids"]
        ordinary = torch.ones_like(ids, dtype=torch.bool)
        for token in special:
            ordinary &= ids != token
        chosen = ordinary & (torch.rand(ids.shape, generator=generator) < 0.2)
        masked.append({**batch, "input_ids": torch.where(chosen, mask, ids), "labels": torch.where(chosen, ids, -100)})
    return masked


def batches_json(batches: list[dict]) -> dict:
    return {"versions": common.versions(), "labels": LABELS, "batches": [{**common.batch_json(b), "labels": b["labels"].flatten().tolist()} for b in batches]}


def read_batches(out, name: str) -> list[dict]:
    """The batches of a fixture, as the other environment wrote them."""
    grid = lambda batch, key: torch.tensor(batch[key]).reshape(batch["size"], -1)
    return [{"input_ids": grid(b, "inputIds"), "attention_mask": grid(b, "attentionMask"), "token_type_ids": grid(b, "tokenTypeIds"), "labels": torch.tensor(b["labels"])}
            for b in json.loads((out / "training" / f"{name}.json").read_text())["batches"]]


def optimizer_of(recipe: Recipe, model) -> torch.optim.Optimizer:
    """No decay on biases and norms (all that have one axis), as transformers' Trainer groups parameters."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.dim() > 1], "weight_decay": recipe.weightDecay},
              {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0}]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learningRate, momentum=recipe.momentum)
    return torch.optim.AdamW(groups, lr=recipe.learningRate, betas=(0.9, 0.999), eps=1e-8)


def schedule_of(recipe: Recipe, optimizer):
    if recipe.schedule == "constant":
        return get_constant_schedule_with_warmup(optimizer, recipe.warmupSteps)
    make = get_linear_schedule_with_warmup if recipe.schedule == "linear" else get_cosine_schedule_with_warmup
    return make(optimizer, recipe.warmupSteps, recipe.steps)


def forward_inputs(model, batch: dict, rows: slice) -> dict:
    """The tensors that this architecture's forward takes, without labels."""
    names = ["input_ids", "attention_mask"] + (["token_type_ids"] if model.config.model_type == "bert" else [])
    return {name: batch[name][rows] for name in names}


def summed_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    flat = labels.flatten()
    return torch.nn.functional.cross_entropy(logits.reshape(len(flat), -1), flat, weight=weights, ignore_index=-100, reduction="sum")


def summed_weight(labels: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    """What torch's mean cross-entropy divides by: the weight (or the number) of the labels that count."""
    kept = labels[labels >= 0]
    return weights[kept].sum() if weights is not None else torch.tensor(float(len(kept)))


def train(model, batches: list[dict], recipe: Recipe, next_token: bool = False, optimizer=None, loss_of=None, after_step=None) -> tuple[dict, dict[str, torch.Tensor]]:
    """Trains in place; returns what happened at each step and the gradients of the first step before clipping. `next_token`: each
    position's logits are held against the label of the position after it. `optimizer`, `loss_of(model, batch, rows)` and
    `after_step(step)`, from 1, stand in for what methods of their own kind need."""
    targets = lambda batch: batch["labels"][:, 1:] if next_token else batch["labels"]
    predictions = lambda logits: logits[:, :-1] if next_token else logits
    optimizer = optimizer or optimizer_of(recipe, model)
    schedule = schedule_of(recipe, optimizer)
    weights = torch.tensor([recipe.classWeights[label] for label in LABELS]) if recipe.classWeights else None
    record = {"losses": [], "learningRates": [], "gradientNorms": []}
    first: dict[str, torch.Tensor] = {}
    for step in range(recipe.steps):
        batch = batches[step]
        optimizer.zero_grad()
        weight = summed_weight(targets(batch), weights)
        loss, start = 0.0, 0
        for size in recipe.microBatches:
            rows = slice(start, start + size)
            part = loss_of(model, batch, rows) if loss_of else summed_loss(predictions(model(**forward_inputs(model, batch, rows)).logits), targets(batch)[rows], weights) / weight
            part.backward()
            loss, start = loss + part.item(), start + size
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad and p.grad is not None}
        if step == 0:
            first = {name: p.grad.clone() for name, p in trained.items()}
        norm = torch.nn.utils.clip_grad_norm_(list(trained.values()), recipe.gradientClip or float("inf"))
        record["losses"].append(loss)
        record["gradientNorms"].append(norm.item())
        record["learningRates"].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if after_step:
            after_step(step + 1)
        schedule.step()
    return record, first


def save_fixture(out, name: str, model_name: str, batches_name: str, recipe: Recipe, objective: str, record: dict, tensors: dict, note: str = "", labels: list[str] = LABELS) -> None:
    common.write_json(out / "training" / f"{name}.json", {
        "versions": common.versions(), "note": note, "model": model_name, "objective": objective, "batches": batches_name, **vars(recipe), "labels": labels,
        "trainableParameters": record.pop("trainableParameters"), **record})
    common.write_tensors(out / "training" / f"{name}.safetensors", tensors)
    print(f"{name:24} loss {record['losses'][0]:.4f} -> {record['losses'][-1]:.4f}, gradient norm {record['gradientNorms'][0]:.3f}, rate {record['learningRates'][1]:.2g}")
