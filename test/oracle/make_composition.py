"""LoRAs added and subtracted by peft's add_weighted_adapter.

Writes composition/lora.safetensors (`first.*` and `third.*` of rank 4, `second.*` of rank 2, names as peft saves them, and the
head) and composition/lora.json: for each case adapters, weights, combination and the logits on the batches of models/bert.json.
"""
import torch
from peft import LoraConfig, get_peft_model
from transformers.utils import logging

import common
from make_models import HEADS, classifier, logits_of

ADAPTERS = {"first": (4, 8), "second": (2, 6), "third": (4, 4)}
CASES = {
    "added": (["first", "second"], [1.0, 1.0], "cat"),
    "weighted": (["first", "second", "third"], [0.7, 0.2, 0.4], "cat"),
    "subtracted": (["first", "second"], [1.0, -1.0], "cat"),
    "linear": (["first", "third"], [0.6, 0.4], "linear"),
    "linear-negative": (["first", "third"], [1.0, -0.5], "linear"),
}


def with_adapters(out):
    model = classifier(out / "models" / "bert")
    generator = torch.Generator().manual_seed(61)
    for name, (rank, alpha) in ADAPTERS.items():
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=["query", "value"])
        if name == "first":
            model = get_peft_model(model, config, adapter_name=name)
        else:
            model.add_adapter(name, config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    model = with_adapters(out)
    tensors = {}
    for name, parameter in model.named_parameters():
        own = next((adapter for adapter in ADAPTERS if f".{adapter}." in name), None)
        if own is not None:
            tensors[f"{own}.{name.replace(f'.{own}.', '.')}"] = parameter
        elif name.replace("base_model.model.", "").startswith(HEADS):
            tensors[f"head.{name}"] = parameter
    cases = []
    for name, (adapters, weights, combination) in CASES.items():
        model.add_weighted_adapter(adapters, weights, name, combination_type=combination)
        model.set_adapter(name)
        cases.append({"name": name, "adapters": adapters, "weights": weights, "combination": combination, "logits": logits_of(out, "bert", model.eval())})
    common.write_tensors(out / "composition" / "lora.safetensors", tensors)
    common.write_json(out / "composition" / "lora.json", {
        "versions": common.versions(), "adapters": {name: {"rank": rank, "alpha": alpha} for name, (rank, alpha) in ADAPTERS.items()}, "cases": cases})


if __name__ == "__main__":
    main()
