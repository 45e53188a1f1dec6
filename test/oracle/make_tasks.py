"""Regression and multi-label learning by transformers, and their measures by SciPy and scikit-learn.

Writes training/batches-targets-<model>.json (targets beside the text), training/<objective>-<method>-<model>.* as make_training.py
does, with the loss that the model itself computes for its problem type and the logits of the first batch before and after training
(`logits.before`, `logits.after`), and tasks.json (numbers and labels with their measures).
"""
import random
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from scipy import stats
from sklearn import metrics
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

import common
from make_decoders import LONGEST, PAD
from make_models import HEADS
from make_training import saved_name
from sentences import LABELS
from training import Recipe, batches_json, forward_inputs, make_batches, save_fixture, train

TARGETS = {"bert": ["query", "value"], "llama": ["q_proj", "v_proj"]}
FINALS = ("embeddings", "embed_tokens", "layer.0.", "layers.0.", "pooler", "classifier", "score")
PROBLEMS = {"regression": ("regression", 1), "multi-label": ("multi_label_classification", len(LABELS))}


def with_targets(batches: list[dict], objective: str, seed: int) -> list[dict]:
    order = random.Random(seed)
    number = lambda: round(order.uniform(0, 5), 1)
    row = (lambda: number()) if objective == "regression" else (lambda: [float(order.random() < 0.4) for _ in LABELS])
    return [{**batch, "targets": torch.tensor([row() for _ in batch["labels"]])} for batch in batches]


def targets_json(batches: list[dict]) -> dict:
    whole = batches_json(batches)
    return {**whole, "batches": [{**written, "targets": b["targets"].flatten().tolist()} for written, b in zip(whole["batches"], batches)]}


def prepared(folder: Path, kind: str, objective: str, method: dict) -> torch.nn.Module:
    problem, width = PROBLEMS[objective]
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=width, problem_type=problem, attn_implementation="eager", dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(77)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith((*HEADS, "score")):
                parameter.copy_((0.3 if parameter.dim() > 1 else 0.1) * torch.randn(parameter.shape, generator=generator))
    if method["type"] == "full":
        return model
    torch.manual_seed(21)
    model = get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=method["rank"], lora_alpha=method["alpha"], lora_dropout=0.0, target_modules=TARGETS[kind])).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def make(out: Path, kind: str, objective: str, batches: list[dict], recipe: Recipe) -> None:
    model = prepared(out / "models" / kind, kind, objective, recipe.method)
    lora = recipe.method["type"] == "lora"
    head = lambda key: key.startswith((*HEADS, "score"))
    named = lambda: ((key, p) for key, p in model.named_parameters() if p.requires_grad)
    tensors = {f"initial.{saved_name(key)}": p.clone() for key, p in named() if lora or head(key)}
    count = sum(p.numel() for _, p in named())
    everything = slice(0, 8)
    logits = lambda: model(**forward_inputs(model, batches[0], everything)).logits.detach().clone()
    tensors["logits.before"] = logits()
    loss_of = lambda model, batch, rows: model(**forward_inputs(model, batch, rows), labels=batch["targets"][rows]).loss
    record, _ = train(model, batches, recipe, loss_of=loss_of)
    tensors["logits.after"] = logits()
    kept = lambda key: (lora or any(part in key for part in FINALS)) and not key.endswith(("key.bias", "k_proj.bias"))
    tensors.update({f"final.{saved_name(key)}": p for key, p in named() if kept(key)})
    save_fixture(out, f"{objective}-{recipe.method['type']}-{kind}", kind, f"batches-{objective}-{kind}", recipe, objective, {"trainableParameters": count, **record}, tensors)


def measures() -> dict:
    order = random.Random(5)
    truth = [round(order.uniform(0, 5) * 2) / 2 for _ in range(60)]
    near = [round(value + order.gauss(0, 1), 1) for value in truth]
    labelled = [[int(order.random() < share) for share in (0.5, 0.3, 0.1, 0.0)] for _ in range(60)]
    told = [[value if order.random() < 0.8 else 1 - value for value in row[:3]] + [int(order.random() < 0.05)] for row in labelled]
    f1 = lambda average: metrics.f1_score(labelled, told, average=average, zero_division=0)
    return {
        "versions": common.versions(),
        "numbers": {"targets": truth, "predicted": near, "pearson": stats.pearsonr(truth, near).statistic, "spearman": stats.spearmanr(truth, near).statistic,
                    "meanSquaredError": metrics.mean_squared_error(truth, near)},
        "labels": {"targets": labelled, "predicted": told, "microF1": f1("micro"), "macroF1": f1("macro"), "subsetAccuracy": metrics.accuracy_score(labelled, told)},
    }


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    decoder = common.tokenizer_of(out, "gpt2")
    decoder.enable_truncation(LONGEST)
    plain = {"bert": make_batches(common.tokenizer_of(out, "bert"), 0), "llama": make_batches(decoder, PAD)}
    for batch in plain["llama"]:
        batch["token_type_ids"] = torch.zeros_like(batch["token_type_ids"])
    for kind, own in plain.items():
        for seed, objective in enumerate(PROBLEMS):
            batches = with_targets(own, objective, seed)
            common.write_json(out / "training" / f"batches-{objective}-{kind}.json", targets_json(batches))
            lora = {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": TARGETS[kind]}
            make(out, kind, objective, batches, Recipe(lora, 1e-2))
            make(out, kind, objective, batches, Recipe({"type": "full"}, 1e-3))
    common.write_json(out / "tasks.json", measures())


if __name__ == "__main__":
    main()
