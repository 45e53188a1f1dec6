"""The peer of generation.ts: transformers' greedy generate() with its cache. Takes {folder, prompt, tokens, threads}, prints one JSON line."""
import importlib.metadata as metadata
import json
import resource
import sys
import time

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

options = json.loads(sys.argv[1])
torch.set_num_threads(options["threads"])
logging.set_verbosity_error()
logging.disable_progress_bar()


def main() -> None:
    model = AutoModelForCausalLM.from_pretrained(options["folder"], dtype=torch.float32).eval()
    size = model.config.vocab_size
    ids = torch.tensor([[100 + i * 7919 % (size - 100) for i in range(options["prompt"])]])

    def write(count: int) -> tuple[float, list[int]]:
        start = time.perf_counter()
        with torch.inference_mode():
            whole = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=count, max_new_tokens=count)
        return time.perf_counter() - start, whole[0, ids.shape[1]:].tolist()

    write(4)
    first, _ = write(1)
    seconds, written = write(options["tokens"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"secondsToFirst": first, "tokensPerSecond": (len(written) - 1) / (seconds - first), "peakMemoryBytes": peak, "written": written,
                      "versions": {name: metadata.version(name) for name in ("torch", "transformers")}}))


main()
