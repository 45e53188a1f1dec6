"""The rows of a split, and the order in which PEFT Studio trains on them."""
import json
from pathlib import Path

MASK = 0xFFFFFFFF


def read_rows(file: Path) -> list[dict]:
    """Lines of {"text", "pair", "label"}, in the split's order."""
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def stream_seed(seed: int, stream: int) -> int:
    mixed = (seed * 0x9E3779B1 ^ (stream + 1) * 0x85EBCA6B) & MASK
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & MASK
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & MASK
    return mixed ^ mixed >> 16


def numbers(seed: int):
    """xoroshiro128+ in halves of 32 bits, as the npm package pure-rand has it: integers from 0 to 2^32 - 1."""
    s01, s00, s11, s10 = MASK, ~seed & MASK, seed, 0
    while True:
        yield (s00 + s10 & MASK) ^ 0x80000000
        a0, a1 = s10 ^ s00, s11 ^ s01
        s00, s01 = (s00 << 24 ^ s01 >> 8 ^ a0 ^ a0 << 16) & MASK, (s01 << 24 ^ s00 >> 8 ^ a1 ^ (a1 << 16 | a0 >> 16)) & MASK
        s10, s11 = (a1 << 5 ^ a0 >> 27) & MASK, (a0 << 5 ^ a1 >> 27) & MASK


def order_of(size: int, seed: int, epoch: int, shuffle: bool) -> list[int]:
    """Places of the rows in an epoch (from 0): by seed and epoch alone."""
    order = list(range(size))
    if not shuffle:
        return order
    drawn = numbers(stream_seed(seed, epoch))
    for last in range(size - 1, 0, -1):
        limit = (1 << 32) // (last + 1) * (last + 1) if last > 1 else 1 << 32
        number = next(drawn)
        while number >= limit:
            number = next(drawn)
        other = number % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def parts_of(rows: list[int], count: int) -> list[list[int]]:
    """Equal parts, the first ones a row longer where it does not come out even; one at least."""
    count = max(1, min(count, len(rows)))
    size, more = divmod(len(rows), count)
    starts = [part * size + min(part, more) for part in range(count + 1)]
    return [rows[start:end] for start, end in zip(starts, starts[1:])]
