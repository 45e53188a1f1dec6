"""What transformers and peft generate from the tiny decoders with an adapter, and what transformers' sampling leaves of logits.

Writes generation/<method>-<model>.json (prompts and the likeliest tokens behind them) with .safetensors (the adapter, named as
the engine has it) and generation/sampling.json: logits, the text so far, the options of generate() and the probabilities of every
token after the processors that generate() itself would make of them.
"""
from pathlib import Path

import torch
from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig, TaskType, get_peft_model
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.utils import logging

import common
from make_decoder_training import TARGETS
from make_training import saved_name

TOKENS = 4
ATTENTION = {"gpt2": "transformer.h.{}.attn", "llama": "model.layers.{}.self_attn", "qwen2": "model.layers.{}.self_attn", "qwen3": "model.layers.{}.self_attn"}
METHODS = {
    "lora": {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0},
    "prefix": {"type": "prefix", "numVirtualTokens": TOKENS},
    "prompt": {"type": "prompt", "numVirtualTokens": TOKENS},
}
SAMPLING = [
    {"temperature": 1.0}, {"temperature": 0.7}, {"temperature": 1.8}, {"temperature": 1.0, "top_k": 5}, {"temperature": 1.0, "top_p": 0.8},
    {"temperature": 0.6, "top_k": 12, "top_p": 0.9}, {"temperature": 1.3, "repetition_penalty": 1.4},
    {"temperature": 0.9, "top_k": 20, "top_p": 0.7, "repetition_penalty": 1.2}, {"temperature": 1.0, "top_k": 1}, {"temperature": 1.0, "top_p": 0.01},
    {"temperature": 1.0, "repetition_penalty": 0.8},
]


def config_of(kind: str, method: dict):
    if method["type"] == "lora":
        return LoraConfig(task_type=TaskType.CAUSAL_LM, r=method["rank"], lora_alpha=method["alpha"], lora_dropout=0.0, target_modules=TARGETS[kind],
                          fan_in_fan_out=kind == "gpt2")
    made = PrefixTuningConfig if method["type"] == "prefix" else PromptTuningConfig
    return made(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=TOKENS)


def engine_tensors(kind: str, method: dict, model: torch.nn.Module) -> dict[str, torch.Tensor]:
    trained = {saved_name(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if method["type"] == "lora":
        return {name.removeprefix("base_model.model."): value for name, value in trained.items()}
    (embedding,) = trained.values()
    if method["type"] == "prompt":
        return {"prompt.embeddings": embedding}
    # keys and values layer by layer
    parts = embedding.view(TOKENS, 2 * model.config.num_hidden_layers, -1)
    return {f"{ATTENTION[kind].format(i // 2)}.prefix.{('keys', 'values')[i % 2]}": parts[:, i] for i in range(parts.shape[1])}


def adapted(out: Path, kind: str, method: dict) -> torch.nn.Module:
    folder = out / "models" / kind
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    torch.manual_seed(61)
    model = get_peft_model(model, config_of(kind, method)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.4 * torch.randn_like(parameter))
    return model


def greedy(model, tokenizer, text: str, count: int) -> dict:
    """The likeliest token, again and again, by whole forward passes: peft 0.21 loses a prefix in the generate() of transformers 5."""
    prompt = tokenizer.encode(text).ids
    ids = torch.tensor([prompt])
    with torch.no_grad():
        for _ in range(count):
            best = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1].argmax()
            ids = torch.cat([ids, best.view(1, 1)], 1)
    return {"prompt": prompt, "tokens": ids[0, len(prompt):].tolist()}


def record(out: Path, kind: str, name: str, tokenizer) -> None:
    method = METHODS[name]
    model = adapted(out, kind, method)
    generated = [greedy(model, tokenizer, text, 12) for text in ("The weather", "Bake the bread for an hour and")]
    described = {**method, "targetModules": TARGETS[kind]} if name == "lora" else method
    common.write_json(out / "generation" / f"{name}-{kind}.json", {"versions": common.versions(), "model": kind, "method": described, "greedy": generated})
    common.write_tensors(out / "generation" / f"{name}-{kind}.safetensors", engine_tensors(kind, method, model))
    print(f"{name}-{kind}", generated[0]["tokens"])



def record_sampling(out: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(out / "models" / "llama", dtype=torch.float32).eval()
    torch.manual_seed(62)
    cases = []
    for options in SAMPLING:
        logits = 3 * torch.randn(1, 60)
        text = torch.randint(0, 60, (1, 9))
        config = GenerationConfig(do_sample=True, top_k=options.get("top_k", 0), **{key: value for key, value in options.items() if key != "top_k"})
        processors = model._get_logits_processor(generation_config=config, input_ids_seq_length=text.shape[1])
        left = processors(text, logits.clone())
        named = {"temperature": options["temperature"], "topK": options.get("top_k"), "topP": options.get("top_p"),
                 "repetitionPenalty": options.get("repetition_penalty", 1)}
        cases.append({"options": named, "processors": [type(p).__name__ for p in processors], "text": text[0].tolist(), "logits": logits[0].tolist(),
                      "probabilities": torch.softmax(left, -1)[0].tolist()})
    common.write_json(out / "generation" / "sampling.json", {"versions": common.versions(), "cases": cases})
    print([case["processors"] for case in cases])


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    tokenizer = common.tokenizer_of(out, "gpt2")
    for kind in TARGETS:
        for name in METHODS:
            record(out, kind, name, tokenizer)
    record_sampling(out)


if __name__ == "__main__":
    main()
