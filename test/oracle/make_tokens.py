"""Token ids that transformers' tokenizers give, cut at several lengths.  Writes tokens.json: for each model and length the rows with ids and type ids."""
from transformers import AutoTokenizer
from transformers.utils import logging

import common
from sentences import PAIRS, ROWS

ODD = ["", " ", "naïve café, ÉCOLE!", "雨が降る today", "tabs\tand\nlines", "emoji 🌧️ rain", "don't can't 3.5% a-b_c/d", "supercalifragilisticexpialidocious", "<s> [SEP] [MASK] </s>", "Ünïcödé ﬁne ﬀ"]


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    texts = [(text, None) for text, _ in ROWS[:8]] + [(text, None) for text in ODD] + [(a, b) for a, b in PAIRS]
    found = []
    for model in ("bert", "roberta", "distilbert"):
        tokenizer = AutoTokenizer.from_pretrained(out / "models" / model)
        for length in (64, 12, 7):
            rows = []
            for text, pair in texts:
                encoded = tokenizer(text, pair, truncation=True, max_length=length, return_token_type_ids=True)
                rows.append({"text": text, "pair": pair, "ids": encoded["input_ids"], "typeIds": encoded["token_type_ids"]})
            found.append({"model": model, "maxLength": length, "rows": rows})
    common.write_json(out / "tokens.json", {"versions": common.versions(), "cases": found})


if __name__ == "__main__":
    main()
