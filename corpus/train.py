#!/usr/bin/env python3
"""Fit what the extraction engine knows by numbers, on the development split.

First: cargo test --lib write_the_evidence -- --ignored
Then:  corpus/train.py [codes|links] [--write]      (needs numpy and lightgbm)

Two steps, the second on what the first says of the messages of pens that it was fitted without:

* The sums (src/mail/extract/weights.rs, link_weights.rs) are a logistic regression that is pulled towards weights set by
  hand (prior*.json); a piece of evidence keeps its sign.
* The judge (src/mail/extract/models/) is a forest of small trees over evidence and measures, in which evidence can only
  speak in its own direction.

Without --write: says what the messages of a pen that had no part in the fitting would get, each pen in turn. That is the
honest estimate for mail of others, and what everything here is tuned by.
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


def pen(file):
    """Who wrote a message: the part of its name between language and number."""
    found = re.search(r"-([a-z]\d?)-\d+\.eml$", file)
    return found[1] if found else "a"


class Kind:
    def __init__(self, name):
        self.name = name
        links = name == "links"
        self.weights_file = SRC / ("link_weights.rs" if links else "weights.rs")
        self.model_file = SRC / "models" / f"{name}.json"
        self.prior_file = ROOT / ("prior-links.json" if links else "prior.json")
        lines = (ROOT / ("evidence-links.jsonl" if links else "evidence.jsonl")).open()
        head = json.loads(next(lines))
        self.names = head["names"]
        self.count = len(head["weights"])  # the first are evidence, the others measures
        self.own = np.array(head["weights"], np.float32)
        prior = json.loads(self.prior_file.read_text())
        self.prior = np.array([prior.get(n, w) for n, w in zip(self.names, head["weights"])])
        # A name may occur in both lists; the later is the measure.
        self.measure = {n: self.count + i for i, n in enumerate(self.names[self.count:])}
        self.mails = []
        for line in lines:
            mail = json.loads(line)
            mail["x"] = np.array([r["x"] for r in mail["rows"]], np.float32).reshape(-1, len(self.names))
            mail["y"] = np.array([r["value"] == mail["answer"] for r in mail["rows"]], bool)
            mail["pen"] = {"b": "a", "d3": "d2"}.get(pen(mail["file"]), pen(mail["file"]))
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
        ws = np.concatenate([np.full(len(m["y"]), self.weight(m)) for m in mails if m["share"] == 0])
        if hard is not None:
            keep = (xs[:, hard] == 0) | (ys > 0)
            xs, ys, ws = xs[keep], ys[keep], ws[keep]
        for _ in range(25):
            p = 1 / (1 + np.exp(-np.clip(xs @ weights, -30, 30)))
            gradient = xs.T @ (ws * (ys - p)) - strength * (weights - prior)
            hessian = (xs * (ws * p * (1 - p))[:, None]).T @ xs + strength * np.eye(count)
            step = np.linalg.solve(hessian, gradient)
            step[fixed] = 0
            weights = weights + np.clip(step, -1, 1)
            weights = np.where(signed & (prior > 0), np.maximum(weights, 0), weights)
            weights = np.where(signed & (prior < 0), np.minimum(weights, 0), weights)
            if np.abs(step).max() < 1e-3:
                break
        return weights

    def relate(self, mail, weights):
        """The vectors of a message with the sums of these weights, best first, which of them is right, and their rows."""
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
        rows = [mail["rows"][i] for i in order]
        return x, y, rows

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
        params = dict(params)
        rounds = params.pop("rounds")
        own = dict(objective="binary", verbosity=-1, seed=7, deterministic=True, num_threads=1, monotone_constraints=self.signs(), monotone_constraints_method="basic", **params)
        return lightgbm.train(own, data, rounds)

    def weight(self, mail):
        # A text of the third pen is there two or three times, in other layouts and with other numbers.
        return {0: 1.0, 15: 0.35, 35: 0.15}[mail["share"]] * (0.5 if mail["pen"] == "d2" else 1.0)

    # --- both
    def by_pen(self, mails):
        pens = defaultdict(list)
        for mail in mails:
            pens[mail["pen"]].append(mail)
        return pens

    def by_language(self, mails, count=4):
        groups = defaultdict(list)
        for mail in mails:
            groups[mail["lang"].split("-")[0]].append(mail)
        # Small languages together, so that the folds are of about the same size.
        folds = [[] for _ in range(count)]
        for group in sorted(groups.values(), key=len, reverse=True):
            min(folds, key=len).extend(group)
        return folds

    def cross_fit(self, mails):
        """Each message with sums that were fitted without its pen; for links, without its language, which does better."""
        related = []
        for own in self.by_language(mails) if self.name == "links" else self.by_pen(mails).values():
            inside = {id(m) for m in own}
            sums = self.fit_sums([m for m in mails if id(m) not in inside])
            related += [(m, self.relate(m, sums)) for m in own]
        return related

    def fit(self, mails, params):
        """Sums from all of these messages; a judge from what sums say of each pen without that pen."""
        return self.fit_sums(mails), self.fit_judge(self.cross_fit(mails), params)


PARAMS = {
    "codes": dict(learning_rate=0.08, num_leaves=16, max_depth=6, min_data_in_leaf=25, min_sum_hessian_in_leaf=2.0, lambda_l2=3.0, feature_fraction=0.35, bagging_fraction=0.8, bagging_freq=1, rounds=200, max_bin=63),
    "links": dict(learning_rate=0.08, num_leaves=8, max_depth=5, min_data_in_leaf=25, min_sum_hessian_in_leaf=2.0, lambda_l2=3.0, feature_fraction=0.35, bagging_fraction=0.8, bagging_freq=1, rounds=110, max_bin=63),
}
THRESHOLDS = {"codes": (-0.4, 0.0, 0.2, 0.4, 0.8), "links": (-0.4, 0.0, 0.4, 0.85, 1.2)}


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


def predict(kind, mails, fitted):
    sums, booster = fitted
    rows = []
    for mail in mails:
        x, _, found = kind.relate(mail, sums)
        if len(x) == 0:
            rows.append((mail, -9.0, None))
            continue
        p = booster.predict(x, raw_score=True)
        vetoes = [i for i, n in enumerate(kind.names[: kind.count]) if n in {"Impossible", "Quoted", "AnchorUnsubscribe", "AnchorNotMe"}]
        vetoed = x[:, vetoes].max(axis=1) > 0
        p = np.where(vetoed, np.minimum(p, x[:, kind.measure["Score"]]), p)
        rows.append((mail, p.max(), found[int(p.argmax())]["value"]))
    return rows


def evaluate(kind, params, shares=(0, 15, 35)):
    rows = []
    for name, own in kind.by_pen(kind.mails).items():
        fitted = kind.fit([m for m in kind.mails if m["pen"] != name], params)
        found = predict(kind, own, fitted)
        rows += found
        print(f"without pen {name}:", tally([r for r in found if r[0]["share"] == 0], THRESHOLDS[kind.name][1]))
    for share in shares:
        for threshold in THRESHOLDS[kind.name]:
            print(f"forgetful {share:2} % judge > {threshold:4.1f}: {tally([r for r in rows if r[0]['share'] == share], threshold)}")
    return rows


def write(kind, params):
    weights, booster = kind.fit(kind.mails, params)
    text = kind.weights_file.read_text()
    for name, weight in zip(kind.names[: kind.count], weights):
        text = re.sub(rf"(\n    {name} +)-?[0-9.]+( +\")", lambda m: f"\n    {name:<18} {weight:>6.2f}{m[2]}", text)
    kind.weights_file.write_text(text)
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
            print(name, len(kind.mails), "messages,", len(kind.names), "numbers")
            if "--write" in sys.argv:
                write(kind, PARAMS[name])
            else:
                evaluate(kind, PARAMS[name])


if __name__ == "__main__":
    main()
