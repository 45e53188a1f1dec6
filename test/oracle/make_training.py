"""Twenty steps of training by transformers and peft, method by method, with everything needed to repeat them.

Writes training/batches-<model>.json and, for each fixture, training/<name>.json (recipe, losses, learning rates, gradient
norms before clipping) and .safetensors: `initial.*` (trainable values that the checkpoint lacks: head, LoRA),
`gradient.*` (first step, before clipping; some fixtures) and `final.*` (after the last step). Names are those that
transformers and peft save.
"""
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForMaskedLM
from transformers.utils import logging

import common
from make_models import HEADS, classifier
from training import CLASS_WEIGHTS, Recipe, batches_json, make_batches, mask_tokens, save_fixture, train

TARGETS = {"bert": ["query", "value"], "roberta": ["query", "value"], "distilbert": ["q_lin", "v_lin"]}
FINALS = ("embeddings", "layer.0.", "pooler", "pre_classifier", "classifier", "cls.predictions", "lm_head", "vocab_")


def saved_name(name: str) -> str:
    """A parameter's name in the folder that save_pretrained writes."""
    return name.replace(".modules_to_save.default", "").replace(".default.", ".")


def choose(model: torch.nn.Module, trained) -> None:
    for name, parameter in model.named_parameters():
        parameter.requires_grad = trained(name)


def with_lora(model: torch.nn.Module, method: dict, start_at_zero: bool) -> torch.nn.Module:
    """LoRA by peft for sequence classification: `classifier` (and what ends so: pre_classifier) trains beside it."""
    torch.manual_seed(21)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=method["rank"], lora_alpha=method["alpha"], lora_dropout=0.0, target_modules=method["targetModules"],
                        init_lora_weights=True)
    model = get_peft_model(model, config).eval()
    if not start_at_zero:
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def prepared(folder: Path, method: dict, start_at_zero: bool) -> torch.nn.Module:
    model = classifier(folder)  # in evaluation mode: dropout is off
    if method["type"] == "lora":
        return with_lora(model, method, start_at_zero)
    choose(model, {
        "full": lambda name: True,
        "head": lambda name: name.startswith(HEADS),
        "bitfit": lambda name: name.startswith(HEADS) or name.endswith("bias"),
    }[method["type"]])
    return model


def make(out: Path, name: str, kind: str, batches: list[dict], recipe: Recipe, gradients: bool = False, start_at_zero: bool = True, note: str = "") -> None:
    model = prepared(out / "models" / kind, recipe.method, start_at_zero)
    added = lambda key: recipe.method["type"] == "lora" or key.startswith(HEADS)
    tensors = {f"initial.{saved_name(key)}": p.clone() for key, p in model.named_parameters() if p.requires_grad and added(key)}
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    record, first = train(model, batches, recipe)
    if gradients:
        tensors.update({f"gradient.{saved_name(key)}": value for key, value in first.items()})
    # key biases never move the loss: their gradients are rounding noise, which Adam scales up
    kept = lambda key: recipe.method["type"] != "full" or any(part in key for part in FINALS)
    tensors.update({f"final.{saved_name(key)}": p for key, p in model.named_parameters() if p.requires_grad and kept(key) and not key.endswith(("key.bias", "k_lin.bias"))})
    save_fixture(out, name, kind, f"batches-{kind}", recipe, "classification", {"trainableParameters": count, **record}, tensors, note)


def make_masked(out: Path, kind: str, batches: list[dict]) -> None:
    """Full fine-tuning by masked language modelling: head and tied decoder start from the checkpoint."""
    model = AutoModelForMaskedLM.from_pretrained(out / "models" / kind, attn_implementation="eager", dtype=torch.float32).eval()
    recipe = Recipe({"type": "full"}, 1e-3, warmupSteps=0, schedule="constant", steps=5)
    count = sum(p.numel() for p in model.parameters())
    record, first = train(model, batches, recipe)
    tensors = {f"gradient.{key}": value for key, value in first.items()}
    save_fixture(out, f"masked-lm-{kind}", kind, f"batches-masked-{kind}", recipe, "masked-lm", {"trainableParameters": count, **record}, tensors)


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    batches = {kind: make_batches(common.tokenizer_of(out, kind), pad) for kind, pad in (("bert", 0), ("distilbert", 0), ("roberta", 1))}
    for batch in batches["distilbert"] + batches["roberta"]:
        batch["token_type_ids"] = torch.zeros_like(batch["token_type_ids"])
    masked = {kind: mask_tokens(batches[kind][:5], 4, {0, 1, 2, 3, 4}) for kind in batches}
    for kind in batches:
        common.write_json(out / "training" / f"batches-{kind}.json", batches_json(batches[kind]))
        common.write_json(out / "training" / f"batches-masked-{kind}.json", batches_json(masked[kind]))

    full, head, bitfit = {"type": "full"}, {"type": "head"}, {"type": "bitfit"}
    lora = lambda kind: {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": TARGETS[kind]}
    bert = lambda name, recipe, **options: make(out, name, "bert", batches["bert"], recipe, **options)
    bert("full", Recipe(full, 1e-3), gradients=True)
    bert("lora", Recipe(lora("bert"), 1e-2), gradients=True, note="B starts at zero, as in practice")
    bert("lora-nonzero", Recipe(lora("bert"), 1e-2), gradients=True, start_at_zero=False, note="B starts at random values, so that A has a gradient")
    bert("bitfit", Recipe(bitfit, 5e-3), gradients=True, note="every bias, LayerNorm's and the pooler's too, and the head")
    bert("head", Recipe(head, 1e-2), gradients=True, note="the classifier only: BERT's pooler stays frozen")
    bert("sgd-momentum", Recipe(full, 2e-2, optimizer="sgd", momentum=0.9, weightDecay=0.0))
    bert("sgd-decay", Recipe(full, 2e-2, optimizer="sgd", momentum=0.9, weightDecay=0.1), note="torch.optim.SGD: the decay is added to the (clipped) gradient")
    bert("cosine", Recipe(lora("bert"), 1e-2, schedule="cosine"))
    bert("constant", Recipe(lora("bert"), 1e-2, schedule="constant"))
    bert("no-clip", Recipe(full, 1e-3, gradientClip=None))
    bert("accumulation", Recipe(full, 1e-3, microBatches=[4, 4]), note="same batches as `full`, in two micro-batches")
    bert("accumulation-unequal", Recipe(lora("bert"), 1e-2, microBatches=[5, 3]), note="the loss is the mean over all eight rows")
    bert("class-weights", Recipe(full, 1e-3, classWeights=CLASS_WEIGHTS))
    bert("class-weights-accumulation", Recipe(lora("bert"), 1e-2, classWeights=CLASS_WEIGHTS, microBatches=[5, 3]), note="weighted mean over all eight rows")
    for kind in ("roberta", "distilbert"):
        for name, recipe in {"full": Recipe(full, 1e-3), "lora": Recipe(lora(kind), 1e-2), "bitfit": Recipe(bitfit, 5e-3), "head": Recipe(head, 1e-2)}.items():
            make(out, f"{name}-{kind}", kind, batches[kind], recipe, gradients=True, start_at_zero=False)
    for kind in masked:
        make_masked(out, kind, masked[kind])


if __name__ == "__main__":
    main()
