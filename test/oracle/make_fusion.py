"""AdapterFusion, stacks and averages of bottleneck adapters by AdapterHub's library (environment `adapters`).

Writes composition/<case>-<model>.safetensors (`first.*`, `second.*`: two adapters by the name "task"; `head.*`; `fusion.*`) and
composition/<case>-<model>.json with the adapters' options and the logits on the batches of models/<model>.json; for fusion also
training/<case>-<model>.*, where the adapters' tensors end in "@1" and "@2"; formats/setup-<block>-<case>-<model>/
as save_adapter_setup writes it, with its logits.

Fusion (Pfeiffer et al. 2021), behind a block with output s and residual x, h what the adapters see (LayerNorm(s + x) for Pfeiffer's
place, s for Houlsby's), u_i = up_i(act(down_i(h))): LayerNorm(s + Σ softmax_i((Qh + b)·(Ku_i + c)) V u_i + x). Q and K start normal, V as
the identity with 1e-6 beside its diagonal. The loss holds 0.01 · Σ‖I - V‖² (get_fusion_regularization_loss; the library's trainer
takes its gradient after the step, where the next zero_grad drops it).
A stack feeds s + f_1(h) to the second adapter as its s.
"""
import sys

import adapters
import torch
from adapters import DoubleSeqBnConfig, SeqBnConfig
from adapters.composition import Fuse, Stack
from transformers.utils import logging

import common
from make_models import HEADS, classifier, logits_of
from training import Recipe, forward_inputs, read_batches, save_fixture, summed_loss, summed_weight, train

CONFIGS = {
    "pfeiffer": (SeqBnConfig(reduction_factor=4), {"type": "bottleneck", "placement": "pfeiffer", "reductionFactor": 4, "activation": "relu"}),
    "houlsby": (DoubleSeqBnConfig(reduction_factor=8), {"type": "bottleneck", "placement": "houlsby", "reductionFactor": 8, "activation": "swish"}),
}
NAMES = ("first", "second")
FUSED = "first,second"


def with_adapters(folder, config, seed: int = 71) -> torch.nn.Module:
    """Two adapters with everything about them random, so that each counts."""
    model = classifier(folder)
    adapters.init(model)
    for name in NAMES:
        model.add_adapter(name, config=config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(f".{own}." in name for own in NAMES):
                parameter.copy_((0.2 if parameter.dim() > 1 else 0.05) * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def adapter_tensors(model) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, parameter in model.named_parameters():
        own = next((adapter for adapter in NAMES if f".{adapter}." in name), None)
        if own is not None:
            tensors[f"{own}.{name.replace(f'.{own}.', '.task.')}"] = parameter.clone()
        elif name.startswith(HEADS):
            tensors[f"head.{name}"] = parameter.clone()
    return tensors


def engine_name(name: str) -> str:
    """Of a fusion's parameter."""
    return name.replace(f".adapter_fusion_layer.{FUSED}.", ".adapters.fusion.").replace(f"_adapter_fusion_layer.{FUSED}.", "_adapters.fusion.")


def fused(out, kind: str, name: str, regularization: float):
    config, method = CONFIGS[name]
    model = with_adapters(out / "models" / kind, config)
    model.add_adapter_fusion(list(NAMES), "dynamic")
    model.train_adapter_fusion(Fuse(*NAMES))
    model.eval()
    adapters_and_head = adapter_tensors(model)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    initial = {engine_name(key): p.clone() for key, p in trained.items()}
    composed = {"type": "fusion", "adapters": [method, method], "regularization": regularization}
    save(out, f"fusion-{name}-{kind}", kind, {**adapters_and_head, **{f"fusion.{key}": p for key, p in initial.items() if ".fusion." in key}},
         {"kind": "fusion", "method": composed, "adapters": [method, method], "logits": logits_of(out, kind, model)})

    def loss_of(own, batch, rows):
        loss = summed_loss(own(**forward_inputs(own, batch, rows)).logits, batch["labels"][rows], None) / summed_weight(batch["labels"], None)
        return loss + regularization / 0.01 * own.base_model.get_fusion_regularization_loss()

    recipe = Recipe(composed, 5e-3)
    record, first = train(model, read_batches(out, f"batches-{kind}"), recipe, loss_of=loss_of)
    parts = {key.removeprefix(f"{part}.") + f"@{i + 1}": p for i, part in enumerate(NAMES) for key, p in adapters_and_head.items() if key.startswith(f"{part}.")}
    tensors = {f"initial.{key}": p for key, p in {**initial, **parts}.items()}
    tensors.update({f"gradient.{engine_name(key)}": value for key, value in first.items()})
    tensors.update({f"final.{engine_name(key)}": p for key, p in trained.items()})
    save_fixture(out, f"fusion-{name}-{kind}", kind, f"batches-{kind}", recipe, "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors)


def stacked(out, kind: str, name: str):
    config, method = CONFIGS[name]
    model = with_adapters(out / "models" / kind, config)
    tensors = adapter_tensors(model)
    model.set_active_adapters(Stack(*NAMES))
    save(out, f"stack-{name}-{kind}", kind, tensors, {"kind": "stack", "method": {"type": "stack", "adapters": [method, method]}, "adapters": [method, method], "logits": logits_of(out, kind, model)})


def averaged(out, kind: str, name: str):
    config, method = CONFIGS[name]
    model = with_adapters(out / "models" / kind, config)
    tensors = adapter_tensors(model)
    model.average_adapter("mean", list(NAMES), weights=[0.3, 0.9])
    model.set_active_adapters("mean")
    save(out, f"average-{name}-{kind}", kind, tensors, {"kind": "average", "method": method, "adapters": [method, method], "weights": [0.3, 0.9], "logits": logits_of(out, kind, model)})


def saved(out, kind: str, name: str, block) -> None:
    """The folder that save_adapter_setup makes, and the logits of what it holds."""
    config, method = CONFIGS[name]
    model = with_adapters(out / "models" / kind, config)
    setup = block(*NAMES)
    if block is Fuse:
        torch.manual_seed(72)
        model.add_adapter_fusion(setup)
    model.set_active_adapters(setup)
    case = f"setup-{block.__name__.lower()}-{name}-{kind}"
    model.save_adapter_setup(str(out / "formats" / case), setup, head_setup=True, use_safetensors=True)
    for config_file in (out / "formats" / case).rglob("*_config.json"):
        config_file.write_text(config_file.read_text().replace(str(out / "models" / kind), kind))
    common.write_json(out / "formats" / f"{case}.json", {"versions": common.versions(), "model": kind, "logits": logits_of(out, kind, model.eval())})


def save(out, name: str, kind: str, tensors, facts) -> None:
    common.write_tensors(out / "composition" / f"{name}.safetensors", tensors)
    common.write_json(out / "composition" / f"{name}.json", {"versions": common.versions(), "model": kind, **facts})


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    fused(out, "bert", "pfeiffer", 0.01)
    fused(out, "distilbert", "pfeiffer", 0.0)
    fused(out, "roberta", "houlsby", 0.01)
    for kind, name in (("bert", "pfeiffer"), ("roberta", "houlsby")):
        stacked(out, kind, name)
    averaged(out, "bert", "pfeiffer")
    for block, kind, name in ((Fuse, "bert", "pfeiffer"), (Fuse, "roberta", "houlsby"), (Stack, "distilbert", "pfeiffer"), (Stack, "roberta", "houlsby")):
        saved(out, kind, name, block)


if __name__ == "__main__":
    main()
