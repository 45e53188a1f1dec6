"""Progressive unfreezing by plain PyTorch: twenty steps over two stages, the layout written out by hand.

Writes progressive/<model>.json (plan, stages, losses, gradient norms, rates of the head) and .safetensors: `initial.*` (the
head), `frozen.*` (what the first stage must leave as it was, after that stage) and `final.*`. Batches are those of
training/batches-<model>.json. Stage 1 trains what lies outside the layers and layer 1 (of 0 and 1), stage 2 everything.
Each stage has a fresh AdamW and a schedule of its own; a parameter's rate is the stage's times DECAY for each layer below the
top one, and once more for the embeddings.
"""
import torch
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup
from transformers.utils import logging

import common
from make_models import HEADS, classifier
from sentences import LABELS
from training import forward_inputs, read_batches, summed_loss

RATE, STAGE_RATES, DECAY = 2e-3, (1.0, 0.5), 0.8
STAGE_STEPS, WARMUP, WEIGHT_DECAY, CLIP = 10, 1, 0.01, 1.0
SCHEDULES = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}


def depth(name: str) -> int:
    """0 on top and in layer 1, 1 in layer 0, 2 in the embeddings."""
    if "embeddings." in name:
        return 2
    return 1 if "layer.0." in name else 0


def run_stage(model: torch.nn.Module, batches: list[dict], stage: int, schedule_name: str, record: dict) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = stage == 1 or "layer.0." not in name
        parameter.grad = None
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = lambda name: name.endswith("bias") or "norm" in name.lower()
    groups = [{"params": [p], "lr": RATE * STAGE_RATES[stage] * DECAY ** depth(name), "weight_decay": 0.0 if plain(name) else WEIGHT_DECAY} for name, p in trained]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    schedule = SCHEDULES[schedule_name](optimizer, WARMUP, STAGE_STEPS)
    head = next(i for i, (name, _) in enumerate(trained) if name.startswith(HEADS))
    record["trainableParameters"].append(sum(p.numel() for _, p in trained))
    for batch in batches[stage * STAGE_STEPS:(stage + 1) * STAGE_STEPS]:
        optimizer.zero_grad()
        rows = slice(0, len(batch["labels"]))
        loss = summed_loss(model(**forward_inputs(model, batch, rows)).logits, batch["labels"], None) / len(batch["labels"])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for _, p in trained if p.grad is not None], CLIP)
        record["losses"].append(loss.item())
        record["gradientNorms"].append(norm.item())
        record["learningRates"].append(optimizer.param_groups[head]["lr"])
        optimizer.step()
        schedule.step()


def make(out, kind: str, schedule: str) -> None:
    model = classifier(out / "models" / kind)
    batches = read_batches(out, f"batches-{kind}")
    named = lambda part, keep: {f"{part}.{name}": p.clone() for name, p in model.named_parameters() if keep(name)}
    tensors = named("initial", lambda name: name.startswith(HEADS))
    record = {"trainableParameters": [], "losses": [], "gradientNorms": [], "learningRates": []}
    run_stage(model, batches, 0, schedule, record)
    # The whole layer would say no more: it is read from the checkpoint.
    tensors.update(named("frozen", lambda name: "layer.0." in name and "bias" in name))
    run_stage(model, batches, 1, schedule, record)
    # Key biases never move the loss: their gradients are rounding noise, which Adam scales up.
    tensors.update(named("final", lambda name: not name.endswith(("key.bias", "k_lin.bias")) and "position" not in name))
    common.write_tensors(out / "progressive" / f"{kind}.safetensors", tensors)
    common.write_json(out / "progressive" / f"{kind}.json", {
        "versions": common.versions(), "model": kind, "batches": f"batches-{kind}", "labels": LABELS,
        "method": {"type": "progressive", "layerDecay": DECAY, "stages": [{"blocks": stage + 1, "rate": STAGE_RATES[stage]} for stage in (0, 1)]},
        "training": {"maxSteps": 2 * STAGE_STEPS, "batchSize": 8, "learningRate": RATE, "schedule": schedule, "warmupRatio": WARMUP / STAGE_STEPS,
                     "weightDecay": WEIGHT_DECAY, "gradientClip": CLIP, "modelDropout": 0}, **record})
    print(f"{kind:12} loss {record['losses'][0]:.4f} -> {record['losses'][9]:.4f} | {record['losses'][10]:.4f} -> {record['losses'][-1]:.4f}, trained {record['trainableParameters']}")


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    make(out, "bert", "linear")
    make(out, "distilbert", "cosine")


if __name__ == "__main__":
    main()
