"""Tiny random decoders in the layouts that hub folders have, and what transformers computes from them.

Writes models/<name>/, and beside it models/<name>.json with models/<name>.safetensors: batches, classification head, its logits,
hidden states and language-model logits (of the first two rows of `singles`), the mean next-token loss, and the tokens that greedy
generation adds. Also models/llama-rotary.json: what other scalings of rotary positions make of the weights of `llama`.
"""
import json
from pathlib import Path

import torch
from transformers import (AutoModelForCausalLM, AutoModelForSequenceClassification, GPT2Config, GPT2LMHeadModel, GPT2Model, LlamaConfig, LlamaForCausalLM,
                          Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM)
from transformers.utils import logging

import common
from make_models import HEADS, classifier, save
from sentences import LABELS, PAIRS, ROWS

PAD = 1
LONGEST = 48
TOKENS = dict(bos_token_id=0, eos_token_id=0, pad_token_id=PAD)
SHAPE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=48, max_position_embeddings=common.POSITIONS,
             rope_theta=100.0, **TOKENS)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
# Scalings of the folder `llama`, some spelled as older files spell them.
ROTARY = {
    "linear": {"rope_scaling": {"type": "linear", "factor": 2.5}, "rope_theta": 100.0},
    "dynamic": {"rope_scaling": {"type": "dynamic", "factor": 2.0}, "rope_theta": 100.0},
    "yarn": {"rope_parameters": {"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4.0, "beta_slow": 0.5}},
    "yarn-scaled": {"rope_parameters": {"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16, "truncate": False,
                                        "mscale": 1.0, "mscale_all_dim": 0.5}},
    "longrope-long": {"rope_parameters": {"rope_type": "longrope", "rope_theta": 100.0, "original_max_position_embeddings": 16,
                                          "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [2.0, 2.5, 3.0, 4.0]}},
    "longrope-short": {"rope_parameters": {"rope_type": "longrope", "rope_theta": 100.0, "factor": 2.0, "original_max_position_embeddings": 60,
                                           "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [2.0, 2.5, 3.0, 4.0]}},
    "llama3": {"rope_scaling": {key: value for key, value in LLAMA3.items() if key != "rope_theta"}, "rope_theta": 100.0},
}


def inputs_of(tokenizer, texts) -> dict[str, torch.Tensor]:
    tokenizer.enable_truncation(LONGEST)
    batch = common.encode(tokenizer, texts, PAD)
    tokenizer.no_truncation()
    return {**batch, "token_type_ids": torch.zeros_like(batch["token_type_ids"])}


def next_token_loss(logits: torch.Tensor, batch: dict) -> float:
    labels = torch.where(batch["attention_mask"] == 1, batch["input_ids"], -100)[:, 1:]
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels.flatten(), ignore_index=-100).item()


def greedy(model, tokenizer, text: str, count: int) -> dict:
    ids = torch.tensor([tokenizer.encode(text).ids])
    with torch.no_grad():
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=count, min_new_tokens=count)
    return {"prompt": ids[0].tolist(), "tokens": whole[0, ids.shape[1]:].tolist()}


def record(out: Path, name: str, tokenizer, note: str) -> None:
    folder = out / "models" / name
    model = classifier(folder)
    language = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    batches = {"singles": [text for text, _ in ROWS[:6]], "more": [text for text, _ in ROWS[8:12]], "pairs": [f"{a} {b}" for a, b in PAIRS]}
    tensors = {f"head.{key}": value for key, value in model.named_parameters() if key.startswith(HEADS)}
    described = []
    for key, texts in batches.items():
        batch = inputs_of(tokenizer, texts)
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            result = model(**inputs, output_hidden_states=True)
            tensors[f"{key}.logits"] = result.logits
            logits = language(**inputs).logits
            if key == "singles":
                tensors[f"{key}.hidden"] = result.hidden_states[-1][:2]
                tensors[f"{key}.lmLogits"] = logits[:2]
        described.append({"name": key, "texts": texts, "loss": next_token_loss(logits, batch), **common.batch_json(batch)})
    generated = [greedy(language, tokenizer, text, 12) for text in ("The weather", "Bake the bread for an hour and")]
    common.write_json(out / "models" / f"{name}.json", {"versions": common.versions(), "note": note, "labels": LABELS, "batches": described, "greedy": generated})
    common.write_tensors(out / "models" / f"{name}.safetensors", tensors)


def record_rotary(out: Path, tokenizer) -> None:
    """Classifier logits of `llama` under other scalings; its rows are longer and shorter than the first training length."""
    folder = out / "models" / "llama"
    plain = classifier(folder)
    plain_config = json.loads((folder / "config.json").read_text())
    described = {}
    batch = inputs_of(tokenizer, [text for text, _ in ROWS[8:12]])
    for name, change in ROTARY.items():
        kept = {key: value for key, value in plain_config.items() if key not in ("rope_parameters", "rope_theta", "rope_scaling")}
        config = {**kept, **change}
        model = AutoModelForSequenceClassification.from_config(LlamaConfig(**{**config, "num_labels": len(LABELS)}), attn_implementation="eager").eval()
        model.load_state_dict(plain.state_dict())
        with torch.no_grad():
            described[name] = {"config": change, "logits": model(**{key: batch[key] for key in ("input_ids", "attention_mask")}).logits.flatten().tolist()}
    common.write_json(out / "models" / "llama-rotary.json", {"versions": common.versions(), "labels": LABELS, "batch": common.batch_json(batch), "scalings": described})


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    models = out / "models"
    tokenizer = common.tokenizer_of(out, "gpt2", common.decoder_bpe)
    size = tokenizer.get_vocab_size()

    gpt2 = dict(vocab_size=size, n_positions=common.POSITIONS, n_embd=32, n_layer=2, n_head=4, **TOKENS)
    made = {
        "gpt2": (GPT2LMHeadModel(GPT2Config(**gpt2)), "GPT2LMHeadModel: tensor names start with `transformer.`, output tied to the word embeddings."),
        "gpt2-bare": (GPT2Model(GPT2Config(**gpt2, n_inner=40, scale_attn_by_inverse_layer_idx=True, activation_function="relu")),
                      "GPT2Model in float16: no prefix, as the hub's own; scores scaled by layer, relu, its own width."),
        "llama": (LlamaForCausalLM(LlamaConfig(vocab_size=size, **SHAPE)), "LlamaForCausalLM: grouped-query attention, an output table of its own."),
        "llama-sharded": (LlamaForCausalLM(LlamaConfig(vocab_size=size, **{**SHAPE, "rope_theta": None}, head_dim=10, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
                                                       rope_parameters=LLAMA3)),
                          "LlamaForCausalLM in bfloat16 and several shards: Llama 3 scaling, biases, heads of a width of their own, tied."),
        "qwen2": (Qwen2ForCausalLM(Qwen2Config(vocab_size=size, **SHAPE, use_sliding_window=True, sliding_window=5, max_window_layers=1)),
                  "Qwen2ForCausalLM: biases on query, key and value; the second layer sees a window of five tokens."),
        "qwen3": (Qwen3ForCausalLM(Qwen3Config(vocab_size=size, **SHAPE, head_dim=12, tie_word_embeddings=True)),
                  "Qwen3ForCausalLM in float16: normalized heads of a width of their own, tied."),
    }
    stored = {"gpt2-bare": torch.float16, "llama-sharded": torch.bfloat16, "qwen3": torch.float16}
    for seed, (name, (model, note)) in enumerate(made.items()):
        common.randomize(model, 40 + seed)
        save(model.to(stored.get(name, torch.float32)), models / name, **({"max_shard_size": "20KB"} if name == "llama-sharded" else {}))
        common.save_tokenizer(tokenizer, models / name)
        record(out, name, tokenizer, note)
        print(name, sorted(p.name for p in (models / name).iterdir()))
    record_rotary(out, tokenizer)


if __name__ == "__main__":
    main()
