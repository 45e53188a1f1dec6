"""Twenty steps of training of the tiny decoders by transformers and peft, as make_training.py does for encoders.

Writes training/batches-decoder.json (classification), training/batches-causal.json (next token; of each text the first third has
no label, as a prompt) and a fixture for each of LoRA and full fine-tuning by both objectives.
"""
from pathlib import Path

import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForCausalLM
from transformers.utils import logging

import common
from make_decoders import LONGEST, PAD
from make_models import classifier
from make_training import saved_name
from training import Recipe, batches_json, make_batches, save_fixture, train

TARGETS = {"gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"], "qwen2": ["q_proj", "v_proj"], "qwen3": ["q_proj", "k_proj", "down_proj"]}
FINALS = ("embed_tokens", "wte", "wpe", "layers.0.", "h.0.", "score")


def causal(batches: list[dict]) -> list[dict]:
    """Labels of the tokens themselves, without padding and the first third of each text."""
    made = []
    for batch in batches:
        mask = batch["attention_mask"]
        prompt = torch.arange(mask.shape[1])[None] < mask.sum(1, keepdim=True) // 3
        made.append({**batch, "labels": torch.where((mask == 1) & ~prompt, batch["input_ids"], -100)})
    return made


def prepared(folder: Path, kind: str, method: dict, objective: str) -> torch.nn.Module:
    language = objective == "causal-lm"
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval() if language else classifier(folder)
    if method["type"] == "full":
        return model
    torch.manual_seed(21)
    model = get_peft_model(model, LoraConfig(task_type=TaskType.CAUSAL_LM if language else TaskType.SEQ_CLS, r=method["rank"], lora_alpha=method["alpha"],
                                             lora_dropout=0.0, target_modules=TARGETS[kind], fan_in_fan_out=kind == "gpt2")).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def make(out: Path, kind: str, batches: dict[str, list[dict]], objective: str, recipe: Recipe) -> None:
    model = prepared(out / "models" / kind, kind, recipe.method, objective)
    trained = lambda: ((key, p) for key, p in model.named_parameters() if p.requires_grad)
    lora = recipe.method["type"] == "lora"
    tensors = {f"initial.{saved_name(key)}": p.clone() for key, p in trained() if lora or key.startswith("score")}
    count = sum(p.numel() for _, p in trained())
    record, first = train(model, batches[objective], recipe, next_token=objective == "causal-lm")
    if lora:
        tensors.update({f"gradient.{saved_name(key)}": value for key, value in first.items()})
    # key biases never move the loss: their gradients are rounding noise, which Adam scales up
    kept = lambda key: (lora or any(part in key for part in FINALS)) and not key.endswith(("k_proj.bias", "c_attn.bias"))
    tensors.update({f"final.{saved_name(key)}": p for key, p in trained() if kept(key)})
    short = "causal" if objective == "causal-lm" else "classification"
    save_fixture(out, f"{short}-{recipe.method['type']}-{kind}", kind, "batches-causal" if short == "causal" else "batches-decoder", recipe, objective,
                 {"trainableParameters": count, **record}, tensors)


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    tokenizer = common.tokenizer_of(out, "gpt2")
    tokenizer.enable_truncation(LONGEST)
    plain = make_batches(tokenizer, PAD)
    for batch in plain:
        batch["token_type_ids"] = torch.zeros_like(batch["token_type_ids"])
    batches = {"classification": plain, "causal-lm": causal(plain)}
    common.write_json(out / "training" / "batches-decoder.json", batches_json(plain))
    common.write_json(out / "training" / "batches-causal.json", batches_json(batches["causal-lm"]))
    for kind in TARGETS:
        lora = {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": TARGETS[kind]}
        for objective in batches:
            make(out, kind, batches, objective, Recipe(lora, 1e-2, microBatches=[5, 3] if kind == "qwen2" else [8]))
            if kind in ("gpt2", "llama"):
                make(out, kind, batches, objective, Recipe({"type": "full"}, 1e-3))


if __name__ == "__main__":
    main()
