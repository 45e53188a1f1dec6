"""The measures that PEFT Studio has for classes, several labels and numbers. Each list holds one entry a row."""
import math

#: The first chooses the best parameters; where it is equal, the lower loss does.
MEASURES = {"classification": ["macroF1", "accuracy"], "multi-label": ["microF1", "macroF1", "subsetAccuracy"], "regression": ["pearson", "spearman"]}


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def f1_of(labels: list[set], predicted: list[set]) -> dict[int, float]:
    """F1 of each class that occurs."""
    both, hits = {}, {}
    for own, told in zip(labels, predicted):
        for name in [*own, *told]:
            both[name] = both.get(name, 0) + 1
        for name in own & told:
            hits[name] = hits.get(name, 0) + 1
    return {name: 2 * hits.get(name, 0) / count for name, count in both.items()}


def classes(logits: list[list[float]], labels: list[int]) -> dict:
    predicted = [row.index(max(row)) for row in logits]
    losses = [max(row) + math.log(sum(math.exp(x - max(row)) for x in row)) - row[label] for row, label in zip(logits, labels)]
    each = f1_of([{label} for label in labels], [{one} for one in predicted])
    return {"macroF1": mean(each.values()), "accuracy": mean(a == b for a, b in zip(labels, predicted)), "loss": mean(losses)}


def several(logits: list[list[float]], labels: list[list[int]]) -> dict:
    """`labels`: 1 or 0 of each label."""
    own = [{i for i, flag in enumerate(row) if flag} for row in labels]
    told = [{i for i, x in enumerate(row) if x >= 0} for row in logits]
    each = f1_of(own, told)
    hits, both = sum(len(a & b) for a, b in zip(own, told)), sum(len(a) + len(b) for a, b in zip(own, told))
    losses = [mean(max(x, 0) + math.log1p(math.exp(-abs(x))) - x * flag for x, flag in zip(row, flags)) for row, flags in zip(logits, labels)]
    return {"microF1": 2 * hits / both if both else 0.0, "macroF1": sum(each.values()) / len(logits[0]), "subsetAccuracy": mean(a == b for a, b in zip(own, told)), "loss": mean(losses)}


def correlation(a: list[float], b: list[float]) -> float | None:
    """Pearson's; None where one of them does not vary."""
    middle_a, middle_b = mean(a), mean(b)
    square_a, square_b = sum((x - middle_a) ** 2 for x in a), sum((y - middle_b) ** 2 for y in b)
    if not square_a or not square_b:
        return None
    return sum((x - middle_a) * (y - middle_b) for x, y in zip(a, b)) / math.sqrt(square_a * square_b)


def ranks(values: list[float]) -> list[float]:
    """Ties share their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start:end + 1]:
            found[place] = (start + end) / 2
        start = end + 1
    return found


def numbers(logits: list[list[float]], labels: list[float]) -> dict:
    values = [row[0] for row in logits]
    return {"pearson": correlation(labels, values), "spearman": correlation(ranks(labels), ranks(values)), "loss": mean((a - b) ** 2 for a, b in zip(labels, values))}


score = {"classification": classes, "multi-label": several, "regression": numbers}


def is_better(objective: str, scores: dict, best: dict | None) -> bool:
    if best is None:
        return True
    main = MEASURES[objective][0]
    rank = lambda of: -math.inf if of[main] is None else of[main]
    return rank(scores) > rank(best) or (rank(scores) == rank(best) and scores["loss"] < best["loss"])
