#!/usr/bin/env python3
"""Fit the weights of the code evidence on the development split.

First: cargo test --lib write_the_evidence -- --ignored
Then:  corpus/fit.py [strength]   writes them into src/mail/extract/weights.rs
"""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent
LINKS = "links" in sys.argv
WEIGHTS = ROOT.parent / ("src/mail/extract/link_weights.rs" if LINKS else "src/mail/extract/weights.rs")
PRIOR = ROOT / ("prior-links.json" if LINKS else "prior.json")
EVIDENCE = ROOT / ("evidence-links.jsonl" if LINKS else "evidence.jsonl")
FIXED = {"Impossible", "Quoted", "Sequence"}
UNSIGNED = {"Bias", "Digits4", "Digits7", "Mixed", "Words", "Grouped"}


def main():
    strength = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    lines = EVIDENCE.read_text().splitlines()
    head = json.loads(lines[0])
    names, current = head["names"], np.array(head["weights"])
    known = json.loads(PRIOR.read_text()) if PRIOR.exists() else {}
    prior = np.array([known.get(n, w) for n, w in zip(names, current)])
    PRIOR.write_text(json.dumps(dict(zip(names, prior))))
    mails = [json.loads(line) for line in lines[1:]]
    hard = names.index("Impossible") if "Impossible" in names else None
    weights = prior.copy()
    fixed = np.array([n in FIXED for n in names])
    signed = np.array([n not in UNSIGNED for n in names])
    for _ in range(6):
        xs, ys = [], []
        for mail in mails:
            best = None
            for row in mail["rows"]:
                x = np.array(row["x"])
                if hard is not None and x[hard]:
                    continue
                if mail["code"] is not None and row["value"] == mail["code"]:
                    if best is None or x @ weights > best @ weights:
                        best = x
                else:
                    xs.append(x)
                    ys.append(0)
            if best is not None:
                xs.append(best)
                ys.append(1)
        xs, ys = np.array(xs), np.array(ys, float)
        for _ in range(40):
            p = 1 / (1 + np.exp(-np.clip(xs @ weights, -30, 30)))
            gradient = xs.T @ (ys - p) - strength * (weights - prior)
            hessian = (xs * (p * (1 - p))[:, None]).T @ xs + strength * np.eye(len(weights))
            step = np.linalg.solve(hessian, gradient)
            step[fixed] = 0
            weights = weights + np.clip(step, -1, 1)
            # A piece of evidence keeps its sign: what speaks for a code by reason must not speak against it by chance.
            weights = np.where(signed & (prior > 0), np.maximum(weights, 0), weights)
            weights = np.where(signed & (prior < 0), np.minimum(weights, 0), weights)
            if np.abs(step).max() < 1e-4:
                break
    right = answered = expected = false = negatives = 0
    for mail in mails:
        rows = [(float(np.array(r["x"]) @ weights), r["value"]) for r in mail["rows"]]
        score, value = max(rows, default=(-99, None))
        answer = value if score > 0 else None
        expected += mail["code"] is not None
        answered += answer is not None
        right += answer is not None and answer == mail["code"]
        false += answer is not None and mail["code"] is None
    print(f"dev: precision {right/answered:.3f} recall {right/expected:.3f} false {false}")
    text = WEIGHTS.read_text()
    for name, weight in zip(names, weights):
        text = re.sub(rf"(\n    {name} +)-?[0-9.]+( +\")", lambda m: f"{m[1].rstrip():<21} {weight:>6.2f}{m[2]}", text)
    WEIGHTS.write_text(text)
    for name, weight, before in zip(names, weights, prior):
        print(f"{name:<20} {before:6.2f} -> {weight:6.2f}")


main()
