"""LoRA's relatives by peft: twenty training steps of each, and folders as peft saves them.

Writes training/<case>-<model>.json and .safetensors as make_training.py does (`initial.*` holds fixed random matrices too) and
formats/peft-<case>-bert/ with formats/peft-<case>-bert.json: logits on that model's batches. Names of cases after the output folder
make those alone. Options are the engine's; KEYS says what they are called in peft.

PiSSA's fixtures hold no start of A and B: the engine finds it, and singular vectors have no sign of their own. Its folder is
converted to a plain LoRA by peft itself, which leaves the head out: it is put back. LoRA+ records no gradients: the test reads them
off a step, which its rates scale. AdaLoRA's loss is peft's own, penalty included, and its ranks are cut by peft after every optimizer
step (counted from 1).
"""
import re
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from peft import AdaLoraConfig, IA3Config, LoHaConfig, LoKrConfig, LoraConfig, TaskType, VeraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import load_file, save_file
from transformers.utils import logging

import common
from make_models import HEADS, classifier, logits_of
from make_training import TARGETS
from training import Recipe, forward_inputs, read_batches, save_fixture, train

CONFIGS = {"lora": LoraConfig, "loha": LoHaConfig, "lokr": LoKrConfig, "vera": VeraConfig, "ia3": IA3Config, "adalora": AdaLoraConfig}
KEYS = {"rank": "r", "useRslora": "use_rslora", "useDora": "use_dora", "decomposeBoth": "decompose_both", "decomposeFactor": "decompose_factor", "dInitial": "d_initial",
        "projectionPrngKey": "projection_prng_key", "feedforwardModules": "feedforward_modules", "targetModules": "target_modules", "initRank": "init_r",
        "targetRank": "target_r", "orthRegWeight": "orth_reg_weight"}
OWN_KEYS = {"lora": {"alpha": "lora_alpha"}, "adalora": {"alpha": "lora_alpha"}}
STEPS = 20

CASES = {
    "rslora": {"type": "lora", "rank": 4, "alpha": 4, "useRslora": True},
    "dora": {"type": "lora", "rank": 4, "alpha": 8, "useDora": True},
    "lora-plus": {"type": "lora", "rank": 4, "alpha": 8, "loraPlusRatio": 4},
    "pissa": {"type": "lora", "rank": 4, "alpha": 8, "initialization": "pissa"},
    "loha": {"type": "loha", "rank": 3, "alpha": 6},
    "lokr": {"type": "lokr", "rank": 2, "alpha": 3},
    "lokr-both": {"type": "lokr", "rank": 1, "alpha": 2, "decomposeBoth": True, "decomposeFactor": 4},
    "vera": {"type": "vera", "rank": 8, "dInitial": 0.5, "projectionPrngKey": 3},
    "ia3": {"type": "ia3"},
    "adalora": {"type": "adalora", "initRank": 4, "targetRank": 2, "alpha": 8, "tinit": 3, "tfinal": 5, "deltaT": 2, "beta1": 0.8, "beta2": 0.7, "orthRegWeight": 0.3},
}
RATES = {"ia3": 2e-2, "vera": 2e-2, "lora-plus": 5e-3}
SCALED = {"bert": (["key", "value", "output.dense"], ["output.dense"]), "roberta": (["key", "value", "output.dense"], ["output.dense"]),
          "distilbert": (["k_lin", "v_lin", "ffn.lin2"], ["ffn.lin2"])}
EVERYWHERE = ("dora", "loha", "vera", "ia3", "adalora")


def saved_name(name: str) -> str:
    """A parameter's name in the folder that save_pretrained writes."""
    return re.sub(r"\.default(?=\.|$)", "", name.replace(".modules_to_save.default", "")).replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def method_of(case: str, kind: str) -> dict:
    method = dict(CASES[case])
    if method["type"] == "ia3":
        method["targetModules"], method["feedforwardModules"] = SCALED[kind]
    else:
        # modules of two shapes, so that VeRA takes parts of its matrices
        method["targetModules"] = TARGETS[kind] + (["intermediate.dense"] if kind == "bert" and method["type"] in ("vera", "lokr") else [])
    return method


def config_of(method: dict):
    own = OWN_KEYS.get(method["type"], {})
    options = {own.get(key, KEYS.get(key, key)): value for key, value in method.items() if key not in ("type", "loraPlusRatio", "initialization")}
    if method.get("initialization"):
        options["init_lora_weights"] = method["initialization"]
    if method["type"] == "adalora":
        options["total_step"] = STEPS
    return CONFIGS[method["type"]](task_type=TaskType.SEQ_CLS, **options)


def with_method(folder: Path, method: dict) -> torch.nn.Module:
    """The classifier with the method far from its start (PiSSA excepted), so that everything has a gradient."""
    torch.manual_seed(21)
    model = get_peft_model(classifier(folder), config_of(method)).eval()
    if method.get("initialization") == "pissa":
        return model
    generator = torch.Generator().manual_seed(22)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad or "modules_to_save" in name:
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            if "magnitude" in name or "ia3_l" in name:
                parameter.mul_(1 + 0.1 * noise)
            else:
                parameter.add_(0.1 * noise)
    return model


def make(out: Path, case: str, kind: str) -> torch.nn.Module:
    method = method_of(case, kind)
    model = with_method(out / "models" / kind, method)
    rich, pissa, adalora = kind == "bert", case == "pissa", method["type"] == "adalora"
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    head = lambda name: any(part in name for part in HEADS)
    kept = lambda name: not pissa or head(name)
    tensors = {f"initial.{saved_name(name)}": p.clone() for name, p in trained.items() if kept(name)}
    tensors.update({f"initial.{saved_name(name)}": b for name, b in model.named_buffers(remove_duplicate=False) if name.startswith(("base_model.vera_A", "base_model.vera_B"))})
    start = Path(tempfile.mkdtemp())
    if pissa:
        model.peft_config["default"].init_lora_weights = True  # what it is saved as must not be decomposed again
        model.save_pretrained(start)
    recipe = Recipe(method, RATES.get(case, 1e-2))
    more = {}
    if "loraPlusRatio" in method:
        more["optimizer"] = create_loraplus_optimizer(model, torch.optim.AdamW, lr=recipe.learningRate, loraplus_lr_ratio=method["loraPlusRatio"],
                                                      loraplus_weight_decay=recipe.weightDecay, betas=(0.9, 0.999), eps=1e-8)
    if adalora:
        more["loss_of"] = lambda model, batch, rows: model(**forward_inputs(model, batch, rows), labels=batch["labels"][rows]).loss
        more["after_step"] = model.base_model.update_and_allocate
    record, first = train(model, read_batches(out, f"batches-{kind}"), recipe, **more)
    if rich:
        tensors.update({f"gradient.{saved_name(name)}": value for name, value in first.items() if case not in ("pissa", "lora-plus")})
        tensors.update({f"final.{saved_name(name)}": p for name, p in trained.items() if kept(name)})
    save_fixture(out, f"{case}-{kind}", kind, f"batches-{kind}", recipe, "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors)
    if rich and case != "lora-plus":
        make_folder(out, case, kind, method, model, start if pissa else None)
    shutil.rmtree(start)
    return model


def make_folder(out: Path, case: str, kind: str, method: dict, model: torch.nn.Module, start: Path | None) -> None:
    folder = out / "formats" / f"peft-{case}-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    logits = logits_of(out, kind, model)
    model.peft_config["default"].base_model_name_or_path = kind  # not the folder of the machine that made it
    if start is not None:
        model.peft_config["default"].init_lora_weights = "pissa"
    model.save_pretrained(folder, **({"path_initial_model_for_weight_conversion": str(start)} if start else {}))
    (folder / "README.md").unlink(missing_ok=True)
    if start is not None:  # the conversion leaves the head out
        file = folder / "adapter_model.safetensors"
        head = {saved_name(name): p for name, p in model.named_parameters() if p.requires_grad and "modules_to_save.default" in name}
        save_file({**load_file(file), **{name: p.detach().clone() for name, p in head.items()}}, file, {"format": "pt"})
    common.write_json(folder.with_suffix(".json"), {"versions": common.versions(), "model": kind, "method": method, "logits": logits})


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    for case in sys.argv[2:] or CASES:
        for kind in ("bert", "roberta", "distilbert") if case in EVERYWHERE else ("bert",):
            make(out, case, kind)


if __name__ == "__main__":
    main()
