//! The second look at the few best candidates: trees that weigh evidence and measures together.
//!
//! The sums of `weights.rs` say what a number is by the words around it. Whether the message hands that number to its
//! reader also depends on how pieces of evidence go together, which a sum cannot say. The models under `models/` are
//! written by `corpus/train.py`; `docs/extraction.md` says how.

use std::sync::LazyLock;

use serde::Deserialize;

/// A forest of decision trees; the sum of their leaves is log-odds.
#[derive(Debug, Default)]
pub(super) struct Forest {
    base: f32,
    nodes: Vec<Node>,
    /// The first node of each tree.
    roots: Vec<usize>,
}

/// A question about one number of the vector, or a leaf.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// Which number; `LEAF` for none.
    feature: u16,
    /// Up to and including this: the next node; above: the one at `above`.
    threshold: f32,
    above: u16,
    /// The mean of the leaves below, so that each step of a path can be told apart.
    value: f32,
}

const LEAF: u16 = u16::MAX;

/// A forest as it is written down: names of the numbers, and for each tree its nodes in the order of a walk.
#[derive(Debug, Deserialize)]
struct Written {
    names: Vec<String>,
    base: f32,
    /// Feature (-1 for a leaf), threshold, offset of the node for larger values, value.
    trees: Vec<Vec<(i32, f32, u16, f32)>>,
}

/// The model for codes.
pub(super) static CODES: LazyLock<Forest> =
    LazyLock::new(|| Forest::read(include_str!("models/codes.json"), super::codes::names()));
/// The model for links.
pub(super) static LINKS: LazyLock<Forest> =
    LazyLock::new(|| Forest::read(include_str!("models/links.json"), super::links::names()));

impl Forest {
    /// Reads a model. Names that are not known are never asked for; a model that cannot be read is empty, and a test
    /// reads each.
    fn read(file: &str, names: impl Iterator<Item = &'static str>) -> Self {
        let Ok(written) = serde_json::from_str::<Written>(file) else { return Self::default() };
        let known: Vec<&str> = names.collect();
        let place = |name: &String| known.iter().position(|own| own == name).and_then(|at| u16::try_from(at).ok());
        let places: Vec<Option<u16>> = written.names.iter().map(place).collect();
        let mut forest = Self { base: written.base, ..Self::default() };
        for tree in &written.trees {
            forest.roots.push(forest.nodes.len());
            for (feature, threshold, above, value) in tree {
                let feature = usize::try_from(*feature).ok().and_then(|at| places.get(at).copied().flatten()).unwrap_or(LEAF);
                forest.nodes.push(Node { feature, threshold: *threshold, above: *above, value: *value });
            }
        }
        forest
    }

    /// Whether there is no model.
    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The log-odds for a vector; what each number of it adds is added to `parts`.
    pub(super) fn weigh(&self, vector: &[f32], parts: &mut [f32]) -> f32 {
        let mut sum = self.base;
        for root in &self.roots {
            let mut at = *root;
            let Some(mut node) = self.nodes.get(at) else { continue };
            while node.feature != LEAF {
                let value = vector.get(usize::from(node.feature)).copied().unwrap_or(0.0);
                at = if value <= node.threshold { at + 1 } else { root + usize::from(node.above) };
                let Some(next) = self.nodes.get(at) else { break };
                if let Some(part) = parts.get_mut(usize::from(node.feature)) {
                    *part += next.value - node.value;
                }
                node = next;
            }
            sum += node.value;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_can_be_read_and_know_each_name() {
        let files = [include_str!("models/codes.json"), include_str!("models/links.json")];
        let names: [Vec<&str>; 2] =
            [crate::mail::extract::codes::names().collect(), crate::mail::extract::links::names().collect()];
        for (file, names) in files.into_iter().zip(names) {
            let written: Written = serde_json::from_str(file).unwrap();
            for name in &written.names {
                assert!(names.contains(&name.as_str()), "{name} is not known");
            }
        }
    }

    #[test]
    fn a_tree_is_walked_and_its_steps_are_told() {
        let file = r#"{"names": ["b"], "base": -1.0, "trees": [[[0, 0.5, 2, 0.0], [-1, 0, 0, -2.0], [-1, 0, 0, 3.0]]]}"#;
        let forest = Forest::read(file, ["a", "b"].into_iter());
        let mut parts = [0.0; 2];
        assert!((forest.weigh(&[9.0, 1.0], &mut parts) - 2.0).abs() < 1e-6);
        assert!((parts[1] - 3.0).abs() < 1e-6 && parts[0].abs() < 1e-6);
        assert!((forest.weigh(&[9.0, 0.5], &mut parts) + 3.0).abs() < 1e-6);
    }
}
