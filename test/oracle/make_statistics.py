"""What SciPy and scikit-learn say: scores, t intervals, Welch-Satterthwaite, the bootstrap over rows. Writes test/fixtures/data/statistics.json (needs scipy and scikit-learn)."""
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

warnings.simplefilter("ignore", UndefinedMetricWarning)


def scores(rng):
    """Also classes that are never predicted, never true, or neither."""
    out = []
    for rows, classes, used in ((1, 3, 3), (40, 2, 2), (60, 5, 5), (30, 6, 3), (50, 4, 1)):
        labels = rng.integers(0, used, rows)
        logits = rng.normal(size=(rows, classes)) * 3
        logits[np.arange(rows), labels] += rng.normal(size=rows) + 1
        logits = logits.astype(np.float32)
        predicted = logits.argmax(axis=1)
        exact = logits.astype(np.float64)
        probabilities = np.exp(exact - exact.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        out.append({
            "classes": classes, "labels": labels.tolist(), "logits": exact.ravel().tolist(),
            "accuracy": accuracy_score(labels, predicted),
            "macroF1": f1_score(labels, predicted, average="macro", zero_division=0),
            "loss": log_loss(labels, probabilities, labels=list(range(classes))),
        })
    return out


def t_intervals(rng):
    out = []
    for count in (2, 3, 5, 12):
        values = rng.normal(0.8, 0.03, count)
        low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
        out.append({"values": values.tolist(), "mean": values.mean(), "low": low, "high": high})
    return out


def paired(rng):
    """Paired t over seeds: the difference's interval when rows bring no variance."""
    method, baseline = rng.normal(88, 1, 4), rng.normal(90, 1, 4)
    interval = stats.ttest_rel(method, baseline).confidence_interval(0.95)
    return {"method": method.tolist(), "baseline": baseline.tolist(), "low": interval.low, "high": interval.high}


def welch(rng):
    """Two samples of unlike variance: the squared errors of their means add, with Satterthwaite's degrees."""
    a, b = rng.normal(3, 2, 4), rng.normal(1, 0.5, 30)
    test = stats.ttest_ind(a, b, equal_var=False)
    interval = test.confidence_interval(0.95)
    return {"a": a.tolist(), "b": b.tolist(), "degrees": test.df, "low": interval.low, "high": interval.high}


def bootstrap(rng):
    """Standard deviation of the macro F1 and accuracy difference over resampled rows, mean of three pairs of runs."""
    rows, classes, seeds = 400, 4, 3
    labels = rng.integers(0, classes, rows)

    def runs(skill):
        noise = rng.integers(0, classes, (seeds, rows))
        return np.where(rng.random((seeds, rows)) < skill, labels, noise)

    method, baseline = runs(0.7), runs(0.8)

    def difference(index, score):
        return np.mean([score(labels[index], m[index]) - score(labels[index], b[index]) for m, b in zip(method, baseline)]) * 100

    def spread(score):
        result = stats.bootstrap((np.arange(rows),), lambda index: difference(index, score), vectorized=False, n_resamples=4000, method="percentile", rng=np.random.default_rng(5))
        return float(result.standard_error)

    def macro(a, b):
        return f1_score(a, b, average="macro", zero_division=0)

    every = np.arange(rows)
    # One run's own macro F1 as other rows would give it.
    alone = stats.bootstrap((every,), lambda index: macro(labels[index], method[0][index]), vectorized=False, n_resamples=9999, method="percentile", rng=np.random.default_rng(6)).confidence_interval
    return {
        "labels": labels.tolist(), "method": method.tolist(), "baseline": baseline.tolist(),
        "macroF1Interval": {"low": float(alone.low), "high": float(alone.high)},
        "macroF1": {"difference": difference(every, macro), "standardError": spread(macro)},
        "accuracy": {"difference": difference(every, accuracy_score), "standardError": spread(accuracy_score)},
    }


def class_weights(rng):
    labels = rng.choice(4, 200, p=[0.6, 0.25, 0.1, 0.05])
    return {"counts": np.bincount(labels, minlength=4).tolist(), "weights": compute_class_weight("balanced", classes=np.arange(4), y=labels).tolist()}


def main():
    rng = np.random.default_rng(2026)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "data" / "statistics.json"
    value = {"scores": scores(rng), "tIntervals": t_intervals(rng), "paired": paired(rng), "welch": welch(rng), "bootstrap": bootstrap(rng), "classWeights": class_weights(rng)}
    target.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
