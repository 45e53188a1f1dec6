"""The representation mixer by its formula in PyTorch: h' = (1 - g)·h + g·M h behind chosen layers, g = sigmoid(a).

Writes training/mixer-<model>.json and .safetensors as make_training.py does; names as the engine has them
(<layer>.mixer.weight [d, d], <layer>.mixer.gate [1]).
"""
from pathlib import Path

import torch
from transformers.utils import logging

import common
from make_models import HEADS, classifier
from training import Recipe, read_batches, save_fixture, train

LAYERS = {"bert": lambda model: model.bert.encoder.layer, "roberta": lambda model: model.roberta.encoder.layer,
          "distilbert": lambda model: model.distilbert.transformer.layer}
METHODS = {"mixer": {"type": "mixer"}, "mixer-all": {"type": "mixer", "layersToTransform": [0, 1], "gate": 0.3}}


class Mixer(torch.nn.Module):
    def __init__(self, width: int, gate: float):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.eye(width))
        self.gate = torch.nn.Parameter(torch.logit(torch.tensor([gate])))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.gate)
        return (1 - gate) * h + gate * (h @ self.weight.T)


def with_mixer(folder: Path, kind: str, method: dict) -> torch.nn.Module:
    """A classifier whose chosen layers end in a mixer; all but mixer and head frozen."""
    model = classifier(folder)
    layers = LAYERS[kind](model)
    for index in method.get("layersToTransform", [len(layers) - 1]):
        layer = layers[index]
        layer.add_module("mixer", Mixer(model.config.hidden_size, method.get("gate", 0.05)))
        layer.register_forward_hook(lambda module, _inputs, output: (module.mixer(output[0]), *output[1:]) if isinstance(output, tuple) else module.mixer(output))
    for name, parameter in model.named_parameters():
        parameter.requires_grad = ".mixer." in name or name.startswith(HEADS)
    return model.eval()


def make(out: Path, name: str, kind: str, method: dict, batches: list[dict]) -> None:
    model = with_mixer(out / "models" / kind, kind, method)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    # M and g start as the method says, so only the head is given.
    tensors = {f"initial.{key}": p.clone() for key, p in trained.items() if key.startswith(HEADS)}
    recipe = Recipe(method, 2e-2)
    record, first = train(model, batches, recipe)
    tensors.update({f"gradient.{key}": value for key, value in first.items()})
    tensors.update({f"final.{key}": p for key, p in trained.items()})
    save_fixture(out, name, kind, f"batches-{kind}", recipe, "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors, "by the formula, in PyTorch")


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    for kind in LAYERS:
        make(out, f"mixer-{kind}", kind, METHODS["mixer"], read_batches(out, f"batches-{kind}"))
    make(out, "mixer-all-bert", "bert", METHODS["mixer-all"], read_batches(out, "batches-bert"))


if __name__ == "__main__":
    main()
