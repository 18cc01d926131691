#!/usr/bin/env python3
"""Fit what the extraction engine knows by numbers, on the development split.

First: cargo test --lib write_the_evidence -- --ignored
Then:  corpus/train.py [codes|links] [--write]      (needs numpy and lightgbm)

Two steps. The sums (src/mail/extract/weights.rs, link_weights.rs) are a logistic regression that is pulled towards
weights set by hand (prior*.json); a piece of evidence keeps its sign. The judge (src/mail/extract/models/) is a forest
of small trees over evidence and measures, in which evidence can only speak in its own direction; the sums that it sees
while it is fitted come from weights that were fitted without the message.

Without --write: says what messages in a language that had no part in the fitting would get (each language in turn).
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

import lightgbm
import numpy as np

ROOT = Path(__file__).resolve().parent
SRC = ROOT.parent / "src/mail/extract"
FIXED = {"Impossible", "Quoted", "Sequence"}
UNSIGNED = {"Bias", "Digits4", "Digits7", "Mixed", "Words", "Grouped"}
RELATIVE = ["Score", "Margin", "Rank", "Rivals"]
# Measures that can speak in one direction only.
SIGNS = {
    "codes": {"Score": 1, "Margin": 1, "Rank": -1, "Rivals": -1, "NewsWords": -1, "ExampleWords": -1, "PastWords": -1, "CouponWords": -1,
              "MeetingWords": -1, "DoorWords": -1, "HandoverWords": -1, "LeaveWords": -1, "SenderOthers": -1, "SenderAccounts": 1,
              "SubjectTagged": -1, "ExampleNear": -1, "NewsNear": -1, "HandoverNear": -1, "PastNear": -1, "NameDistance": 1, "LooseDistance": 1,
              "AskDistance": 1, "Source": -1, "Company": -1, "Hash": -1, "OnlyEmphasis": 1, "OriginBound": 1, "UnitNear": -1,
              "NameWords": 0, "WarningWords": 1, "ValidityWords": 1, "Places": 1, "Parts": 1, "SameForm": -1, "RowsNear": -1, "SubjectToo": 1},
    "links": {"Score": 1, "Margin": 1, "Rank": -1, "NewsWords": -1, "CouponWords": -1, "MeetingWords": -1, "SenderOthers": -1, "SenderAccounts": 1,
              "SubjectTagged": -1, "OnlyButton": 1, "Secret": 1, "ValidityWords": 1, "WarningWords": 1, "HandoverWords": -1, "ExampleWords": -1},
}
SHORT_LIST = 6


class Kind:
    def __init__(self, name):
        self.name = name
        links = name == "links"
        self.weights_file = SRC / ("link_weights.rs" if links else "weights.rs")
        self.model_file = SRC / "models" / f"{name}.json"
        self.prior_file = ROOT / ("prior-links.json" if links else "prior.json")
        lines = (ROOT / ("evidence-links.jsonl" if links else "evidence.jsonl")).read_text().splitlines()
        head = json.loads(lines[0])
        self.names = head["names"]
        self.count = len(head["weights"])  # the first are evidence, the others measures
        prior = json.loads(self.prior_file.read_text())
        self.prior = np.array([prior.get(n, w) for n, w in zip(self.names, head["weights"])])
        self.at = {n: i for i, n in enumerate(self.names)}
        # A name may occur in both lists; the later is the measure.
        self.measure = {n: self.count + i for i, n in enumerate(self.names[self.count:])}
        self.mails = []
        for line in lines[1:]:
            mail = json.loads(line)
            mail["x"] = np.array([r["x"] for r in mail["rows"]], np.float32).reshape(-1, len(self.names))
            mail["y"] = np.array([r["value"] == mail["answer"] for r in mail["rows"]], bool)
            self.mails.append(mail)

    # --- the sums
    def fit_sums(self, mails, strength=1.0):
        names, count = self.names[: self.count], self.count
        hard = names.index("Impossible") if "Impossible" in names else None
        fixed = np.array([n in FIXED for n in names])
        signed = np.array([n not in UNSIGNED for n in names])
        prior, weights = self.prior, self.prior.copy()
        xs = np.concatenate([m["x"][:, :count] for m in mails if m["share"] == 0]).astype(np.float64)
        ys = np.concatenate([m["y"] for m in mails if m["share"] == 0]).astype(float)
        if hard is not None:
            keep = (xs[:, hard] == 0) | (ys > 0)
            xs, ys = xs[keep], ys[keep]
        for _ in range(25):
            p = 1 / (1 + np.exp(-np.clip(xs @ weights, -30, 30)))
            gradient = xs.T @ (ys - p) - strength * (weights - prior)
            hessian = (xs * (p * (1 - p))[:, None]).T @ xs + strength * np.eye(count)
            step = np.linalg.solve(hessian, gradient)
            step[fixed] = 0
            weights = weights + np.clip(step, -1, 1)
            weights = np.where(signed & (prior > 0), np.maximum(weights, 0), weights)
            weights = np.where(signed & (prior < 0), np.minimum(weights, 0), weights)
            if np.abs(step).max() < 1e-3:
                break
        return weights

    def relate(self, mail, weights):
        """The vectors of a message with the sums of these weights, best first, and which of them is right."""
        x = mail["x"].copy()
        if len(x) == 0:
            return x, mail["y"], []
        # What was added to the sum besides the weights (a bonus for the subject, a fixed rule) stays added.
        extra = x[:, self.measure["Score"]] - x[:, : self.count] @ self.own
        score = x[:, : self.count] @ weights + np.clip(extra, 0, 12)
        order = np.argsort(-score, kind="stable")[:SHORT_LIST]
        x, score, y = x[order], score[order], mail["y"][order]
        for i, s in enumerate(score):
            others = np.delete(score, i)
            x[i, self.measure["Score"]] = s
            x[i, self.measure["Margin"]] = s - max(others.max() if len(others) else -8.0, -8.0)
            x[i, self.measure["Rank"]] = i
            x[i, self.measure["Rivals"]] = (others + 3.0 > s).sum()
        return x, y, [mail["rows"][i]["value"] for i in order]

    # --- the judge
    def signs(self):
        table = SIGNS[self.name]
        signs = []
        for i, n in enumerate(self.names):
            if i < self.count:
                signs.append(0 if n in UNSIGNED or self.prior[i] == 0 else int(np.sign(self.prior[i])))
            else:
                signs.append(table.get(n, 0))
        return signs

    def fit_judge(self, related, params):
        xs = np.concatenate([x for _, (x, y, _) in related if len(x)])
        ys = np.concatenate([y for _, (x, y, _) in related if len(x)])
        ws = np.concatenate([np.full(len(x), self.weight(m)) for m, (x, y, _) in related if len(x)])
        data = lightgbm.Dataset(xs, ys.astype(int), weight=ws, free_raw_data=False)
        rounds = params.pop("rounds")
        own = dict(objective="binary", verbosity=-1, seed=7, deterministic=True, num_threads=1, monotone_constraints=self.signs(), monotone_constraints_method="basic", **params)
        booster = lightgbm.train(own, data, rounds)
        params["rounds"] = rounds
        return booster

    def weight(self, mail):
        return {0: 1.0, 15: 0.35, 35: 0.15}[mail["share"]]


PARAMS = {
    "codes": dict(learning_rate=0.08, num_leaves=10, max_depth=5, min_data_in_leaf=25, min_sum_hessian_in_leaf=2.0, lambda_l2=3.0, feature_fraction=0.35, bagging_fraction=0.8, bagging_freq=1, rounds=120, max_bin=63),
    "links": dict(learning_rate=0.08, num_leaves=8, max_depth=5, min_data_in_leaf=25, min_sum_hessian_in_leaf=2.0, lambda_l2=3.0, feature_fraction=0.35, bagging_fraction=0.8, bagging_freq=1, rounds=110, max_bin=63),
}


def groups_by_language(mails, count=6):
    groups = defaultdict(list)
    for mail in mails:
        groups[mail["lang"].split("-")[0]].append(mail)
    # Small languages together, so that the folds are of about the same size.
    folds = [[] for _ in range(count)]
    for group in sorted(groups.values(), key=len, reverse=True):
        min(folds, key=len).extend(group)
    return folds


def cross_fit(kind, mails, folds):
    """Each message with sums that were fitted without its fold."""
    related = []
    for fold in folds:
        inside = {id(m) for m in fold}
        rest = [m for m in mails if id(m) not in inside]
        weights = kind.fit_sums(rest)
        related += [(m, kind.relate(m, weights)) for m in fold]
    return related


def tally(rows, threshold):
    right = answered = expected = false = negatives = 0
    for mail, best, value in rows:
        answer = value if best > threshold else None
        expected += mail["answer"] is not None
        answered += answer is not None
        right += answer is not None and answer == mail["answer"]
        negative = mail["class"] == "negative"
        negatives += negative
        false += negative and answer is not None
    return f"P {100*right/max(answered,1):.2f} R {100*right/max(expected,1):.2f} false {100*false/max(negatives,1):.2f} ({answered-right} wrong, {expected-right} missed)"


def evaluate(kind, params):
    folds = groups_by_language(kind.mails)
    rows_sum, rows = [], []
    for fold in folds:
        inside = {id(m) for m in fold}
        rest = [m for m in kind.mails if id(m) not in inside]
        inner = groups_by_language(rest, 4)
        booster = kind.fit_judge(cross_fit(kind, rest, inner), dict(params))
        weights = kind.fit_sums(rest)
        for mail in fold:
            x, y, values = kind.relate(mail, weights)
            if len(x) == 0:
                rows.append((mail, -9.0, None)), rows_sum.append((mail, -9.0, None))
                continue
            p = booster.predict(x, raw_score=True)
            rows.append((mail, p.max(), values[int(p.argmax())]))
            rows_sum.append((mail, x[0, kind.measure["Score"]], values[0]))
    for share in (0, 15, 35):
        some = lambda rs: [r for r in rs if r[0]["share"] == share]
        print(f"forgetful {share} %: sums  {tally(some(rows_sum), 0.0)}")
        for threshold in (-0.4, 0.0, 0.4, 0.8):
            print(f"     judge > {threshold:4.1f}: {tally(some(rows), threshold)}")
    return rows


def write(kind, params):
    weights = kind.fit_sums(kind.mails)
    text = kind.weights_file.read_text()
    for name, weight in zip(kind.names[: kind.count], weights):
        text = re.sub(rf"(\n    {name} +)-?[0-9.]+( +\")", lambda m: f"\n    {name:<18} {weight:>6.2f}{m[2]}", text)
    kind.weights_file.write_text(text)
    booster = kind.fit_judge(cross_fit(kind, kind.mails, groups_by_language(kind.mails, 4)), dict(params))
    dump = booster.dump_model()
    base, trees, used = 0.0, [], {}
    for tree in dump["tree_info"]:
        nodes = []

        def walk(node):
            at = len(nodes)
            if "leaf_value" in node and "split_feature" not in node:
                nodes.append([-1, 0, 0, round(node["leaf_value"], 4)])
                return
            # The engine tells columns by name; evidence and measures of one name are told apart by their place.
            feature = used.setdefault(node["split_feature"], len(used))
            nodes.append([feature, float(np.float32(node["threshold"])), 0, round(node["internal_value"], 4)])
            walk(node["left_child"])
            nodes[at][2] = len(nodes) - 0
            walk(node["right_child"])

        walk(tree["tree_structure"])
        trees.append(nodes)
    names = [kind.names[i] for i in used]
    lines = ",\n".join(json.dumps(t, separators=(",", ":")) for t in trees)
    kind.model_file.write_text(f'{{"names": {json.dumps(names)}, "base": {base}, "trees": [\n{lines}\n]}}\n')
    gains = sorted(zip(booster.feature_importance("gain"), kind.names), reverse=True)
    print("most used:", ", ".join(f"{n} {g:.0f}" for g, n in gains[:30]))


def main():
    for name in ("codes", "links"):
        if name in sys.argv or not {"codes", "links"} & set(sys.argv):
            kind = Kind(name)
            own = json.loads((ROOT / ("evidence-links.jsonl" if name == "links" else "evidence.jsonl")).open().readline())
            kind.own = np.array(own["weights"], np.float32)
            print(name, len(kind.mails), "messages,", len(kind.names), "numbers")
            if "--write" in sys.argv:
                write(kind, PARAMS[name])
            else:
                evaluate(kind, PARAMS[name])


if __name__ == "__main__":
    main()
