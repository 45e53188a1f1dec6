"""What SciPy and NumPy say of the statistics of studies: the hierarchical bootstrap over seeds and rows, two one-sided tests, paired ratios; and Holm's procedure on a published example. Writes test/fixtures/data/study-statistics.json (needs scipy)."""
import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats


def hierarchical(rng):
    """Replicates of the mean difference: rows drawn once for all seeds, then seeds, each with its pair."""
    seeds, rows = 4, 150
    hard = rng.normal(size=rows)
    def runs(skill):
        return (rng.normal(size=(seeds, rows)) * 0.8 + hard + skill + rng.normal(size=(seeds, 1)) * 0.15 > 0).astype(int)
    method, baseline = runs(0.5), runs(0.8)
    difference = 100 * (method - baseline)
    replicates = []
    for _ in range(40_000):
        row, seed = rng.integers(0, rows, rows), rng.integers(0, seeds, seeds)
        replicates.append(difference[:, row].mean(axis=1)[seed].mean())
    values = difference.mean(axis=1)
    return {
        "method": method.tolist(), "baseline": baseline.tolist(), "mean": float(values.mean()),
        "replicateVariance": float(np.var(replicates, ddof=1)), "between": float(values.var(ddof=1)),
    }


def equivalence(rng):
    """Schuirmann's two one-sided tests of a mean of paired differences at ±zone, and the plain two-sided test."""
    out = []
    for middle, spread, count, zone in ((0.1, 0.3, 5, 1), (0.6, 0.3, 5, 1), (-1.5, 0.5, 4, 1), (0.2, 2.0, 3, 1), (-0.4, 0.2, 8, 0.5)):
        values = rng.normal(middle, spread, count)
        lower = stats.ttest_1samp(values, -zone, alternative="greater")
        upper = stats.ttest_1samp(values, zone, alternative="less")
        both = stats.ttest_1samp(values, 0)
        narrow, wide = both.confidence_interval(0.90), both.confidence_interval(0.95)
        out.append({
            "mean": values.mean(), "error": stats.sem(values), "degrees": count - 1, "zone": zone,
            "equivalenceP": max(lower.pvalue, upper.pvalue), "p": both.pvalue,
            "narrow": [narrow.low, narrow.high], "wide": [wide.low, wide.high],
        })
    return out


def ratios(rng):
    values = np.exp(rng.normal(-0.7, 0.08, 6))
    test = stats.ttest_1samp(np.log(values), 0)
    interval = test.confidence_interval(0.95)
    return {"ratios": values.tolist(), "mean": float(stats.gmean(values)), "p": test.pvalue, "low": float(np.exp(interval.low)), "high": float(np.exp(interval.high))}


def main():
    rng = np.random.default_rng(2026)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "data" / "study-statistics.json"
    value = {
        "hierarchical": hierarchical(rng), "equivalence": equivalence(rng), "ratios": ratios(rng),
        # The worked example of Holm's procedure at 5 %: p(2) = 0.01 and p(1) = 0.005 fall below 0.05/3 and 0.05/4, 0.03 does not below 0.05/2.
        "holm": {"p": [0.01, 0.04, 0.03, 0.005], "adjusted": [0.03, 0.06, 0.06, 0.02], "claimed": [True, False, False, True]},
    }
    target.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
