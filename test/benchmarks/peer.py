"""The peer: the same model, batches and method in transformers + peft on this machine. One JSON line on stdout.

Takes one JSON argument {folder, objective, method, steps, warmup, batchSize, lengths, prompts, threads, labels}. For each method the faster of
PyTorch's own spellings (sdpa or eager attention, fused or ordinary AdamW) is found by a few steps each and then measured.
"""
import json
import platform
import statistics
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.utils import logging

options = json.loads(sys.argv[1])
torch.set_num_threads(options["threads"])
torch.manual_seed(1)
logging.set_verbosity_error()
logging.disable_progress_bar()
language = options["objective"] == "causal-lm"


class Bottleneck(torch.nn.Module):
    """h + up(relu(down(h))), up starting at zero."""

    def __init__(self, width: int, size: int):
        super().__init__()
        self.down, self.up = torch.nn.Linear(width, size), torch.nn.Linear(size, width)
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, hidden):
        return hidden + self.up(torch.relu(self.down(hidden)))


def add_bottlenecks(model, size: int) -> None:
    """Houlsby's placement: on the outputs of both projections of a layer, before residual and LayerNorm."""
    width = model.config.hidden_size
    for layer in model.bert.encoder.layer:
        for output in (layer.attention.output, layer.output):
            output.bottleneck = Bottleneck(width, size)
            output.dense.register_forward_hook(lambda _module, _inputs, hidden, output=output: output.bottleneck(hidden))


def build(attention: str, fused: bool):
    """Model and optimizer of the method; everything else frozen."""
    how = {"attn_implementation": attention, "dtype": torch.float32}
    if language:
        model = AutoModelForCausalLM.from_pretrained(options["folder"], **how)
        model.config.use_cache = False
    else:
        model = AutoModelForSequenceClassification.from_pretrained(options["folder"], num_labels=options["labels"], **how)
    method = options["method"]
    if method["type"] == "lora":
        from peft import LoraConfig, TaskType, get_peft_model

        model = get_peft_model(model, LoraConfig(task_type=TaskType.CAUSAL_LM if language else TaskType.SEQ_CLS, r=method["rank"], lora_alpha=method["alpha"], lora_dropout=0.0, target_modules=method["targetModules"]))
    elif method["type"] == "prefix":
        from peft import PrefixTuningConfig, TaskType, get_peft_model

        model = get_peft_model(model, PrefixTuningConfig(task_type=TaskType.CAUSAL_LM if language else TaskType.SEQ_CLS, num_virtual_tokens=method["numVirtualTokens"], prefix_projection=False))
    elif method["type"] == "bottleneck":
        model.requires_grad_(False)
        add_bottlenecks(model, method["size"])
        model.classifier.requires_grad_(True)
    plain = lambda name: name.endswith("bias") or "norm" in name.lower()
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [{"params": [p for n, p in named if not plain(n)], "weight_decay": 0.01}, {"params": [p for n, p in named if plain(n)], "weight_decay": 0.0}]
    return model.train(), torch.optim.AdamW(groups, lr=1e-4, fused=fused), [p for _, p in named]


def batch_of(step: int, size: int, lengths: list, vocabulary: int):
    """The rule of benchBatch in model.ts."""
    own = [lengths[(step * size + row) % len(lengths)] for row in range(size)]
    sequence = max(own)
    state = (step * 7919 + 17) % 2147483647
    numbers = []
    for _ in range(size * sequence + size):
        state = state * 48271 % 2147483647
        numbers.append(state)
    floor = 1000 % vocabulary
    ids = torch.tensor([floor + n % (vocabulary - floor) for n in numbers[: size * sequence]]).reshape(size, sequence)
    mask = (torch.arange(sequence)[None, :] < torch.tensor(own)[:, None]).long()
    if language:
        asked = torch.tensor([options["prompts"][(step * size + row) % len(options["prompts"])] for row in range(size)])
        prompt = torch.arange(sequence)[None, :] < asked[:, None]
        return ids * mask, mask, ids.masked_fill((mask == 0) | prompt, -100)
    return ids * mask, mask, torch.tensor([n % options["labels"] for n in numbers[size * sequence:]])


def run(model, optimizer, trained, steps: int):
    """Seconds, the processor's seconds and loss of each step."""
    seconds, processor, losses = [], [], []
    for step in range(steps):
        ids, mask, labels = batch_of(step, options["batchSize"], options["lengths"], model.config.vocab_size)
        start, before = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - before)
    return seconds, processor, losses


def peak_memory() -> int | None:
    """Largest resident memory of this process so far; None on Windows, where Python has no means of its own."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    if options["method"]["type"] == "prefix" and not language and int(transformers.__version__.split(".")[0]) >= 5:
        print(json.dumps({"refused": "peft hands a prefix to the model by an argument that transformers 5 no longer has; name a Python with transformers 4 for it."}))
        return
    spelling = options.get("spelling")
    if spelling is None:
        times = {}
        for attention in ("sdpa", "eager"):
            for fused in (False, True):
                seconds, *_ = run(*build(attention, fused), 4)
                times[(attention, fused)] = statistics.median(seconds[1:])
        attention, fused = min(times, key=times.get)
        print(json.dumps({"spelling": {"attention": attention, "fused": fused}}))
        return
    model, optimizer, trained = build(spelling["attention"], spelling["fused"])
    seconds, processor, losses = run(model, optimizer, trained, options["warmup"] + options["steps"])
    import importlib.metadata as metadata

    versions = {name: metadata.version(name) for name in ("torch", "transformers", "peft")}
    print(json.dumps({"seconds": seconds[options["warmup"]:], "cpuSeconds": processor[options["warmup"]:], "losses": losses, "peakMemoryBytes": peak_memory(), "trainable": sum(p.numel() for p in trained),
                      "versions": {**versions, "python": platform.python_version()}}))


main()
