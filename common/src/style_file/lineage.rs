//! Which network came of which.

use serde::{Deserialize, Serialize};

use super::card::{BlendPart, Origin, Outcome, Painting, StyleCard};

/// A network that a later training went on from: what its card said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ancestor {
    /// The painting whose hand it had learnt.
    pub painting: Painting,
    /// The paintings that it blended, if there were several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blend: Vec<BlendPart>,
    /// Where it came from, if another project trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The resolved configuration of its training.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub recipe: serde_json::Value,
    /// What had come of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The networks that it went on from, by their weighted mean, or none where it began with a fresh one. Where this is not
    /// said, it went on from the one before it in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<Vec<Parent>>,
}

/// One of the networks whose weighted mean, number by number, a training went on from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// Which of the ancestors, from 1.
    pub ancestor: usize,
    /// How much it counts beside the others.
    pub weight: f64,
}

/// What led to a training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// The trainings before it, each after those that it went on from itself.
    pub ancestors: Vec<Ancestor>,
    /// Those of them that it goes on from; where this is not said, the last.
    pub parents: Option<Vec<Parent>>,
}

impl StyleCard {
    /// The trainings that made the network, in order: the ancestors', then its own.
    pub fn into_lineage(self) -> Vec<Ancestor> {
        let Self { painting, blend, origin, recipe, outcome, ancestors, parents, .. } = self;
        let own = Ancestor { painting, blend, origin, recipe, outcome, parents };
        ancestors.into_iter().chain([own]).collect()
    }

    /// What is wrong with what the card says of its ancestors, if anything is.
    pub(super) fn check_lineage(&self) -> Result<(), String> {
        let of_ancestors = self.ancestors.iter().map(|ancestor| &ancestor.parents).enumerate();
        for (before, parents) in of_ancestors.chain([(self.ancestors.len(), &self.parents)]) {
            for Parent { ancestor, weight } in parents.iter().flatten() {
                if !(1..=before).contains(ancestor) {
                    return Err(format!("it names ancestor {ancestor} where there are {before}"));
                }
                if !(*weight > 0.0 && weight.is_finite()) {
                    return Err(format!("an ancestor counts {weight}"));
                }
            }
        }
        Ok(())
    }
}

impl Lineage {
    /// That of a training that goes on from the weighted mean of these networks. What led to several of them is in it once.
    pub fn of_mean(networks: impl IntoIterator<Item = (StyleCard, f64)>) -> Self {
        let mut ancestors = Vec::new();
        let parents = networks
            .into_iter()
            .map(|(card, weight)| Parent { ancestor: take_in(&mut ancestors, card.into_lineage()), weight })
            .collect();
        // What goes without saying is left out, as it was by programs that knew of no means.
        let said = |count, parents: Vec<Parent>| (parents != unsaid(count)).then_some(parents);
        for (count, ancestor) in ancestors.iter_mut().enumerate() {
            ancestor.parents = ancestor.parents.take().and_then(|parents| said(count, parents));
        }
        Self { parents: said(ancestors.len(), parents), ancestors }
    }
}

/// Adds what is not there yet of a lineage; everything there says its parents. Returns the number of its last.
fn take_in(there: &mut Vec<Ancestor>, lineage: Vec<Ancestor>) -> usize {
    let mut numbers: Vec<usize> = Vec::with_capacity(lineage.len());
    for (count, mut ancestor) in lineage.into_iter().enumerate() {
        let mut parents = ancestor.parents.unwrap_or_else(|| unsaid(count));
        for parent in &mut parents {
            parent.ancestor = numbers[parent.ancestor - 1];
        }
        ancestor.parents = Some(parents);
        let index = there.iter().position(|other| *other == ancestor).unwrap_or_else(|| {
            there.push(ancestor);
            there.len() - 1
        });
        numbers.push(index + 1);
    }
    *numbers.last().expect("a lineage ends with the training itself")
}

/// The parents of a training with so many before it, if its card does not say.
fn unsaid(count: usize) -> Vec<Parent> {
    (count > 0).then_some(Parent { ancestor: count, weight: 1.0 }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::NetConfig;

    fn named(name: &str) -> StyleCard {
        let painting = Painting { name: name.to_owned(), ..Painting::default() };
        StyleCard::new(NetConfig::default(), painting)
    }

    /// The card of a training that went on from the mean of these.
    fn after(networks: &[(&StyleCard, f64)], name: &str) -> StyleCard {
        let Lineage { ancestors, parents } =
            Lineage::of_mean(networks.iter().map(|&(card, weight)| (card.clone(), weight)));
        StyleCard { ancestors, parents, ..named(name) }
    }

    fn names(card: &StyleCard) -> Vec<&str> {
        card.ancestors.iter().map(|ancestor| &ancestor.painting.name[..]).collect()
    }

    fn parent(ancestor: usize, weight: f64) -> Parent {
        Parent { ancestor, weight }
    }

    #[test]
    fn one_after_the_other_needs_no_words() {
        let first = named("a");
        let second = after(&[(&first, 1.0)], "b");
        let third = after(&[(&second, 1.0)], "c");
        assert_eq!((names(&third), &third.parents), (vec!["a", "b"], &None));
        assert!(third.ancestors.iter().all(|ancestor| ancestor.parents.is_none()));
    }

    #[test]
    fn what_led_to_several_is_in_it_once() {
        let first = named("a");
        let (left, right) = (after(&[(&first, 1.0)], "left"), after(&[(&first, 1.0)], "right"));
        let mean = after(&[(&left, 0.7), (&right, 0.3)], "mean");
        assert_eq!(names(&mean), ["a", "left", "right"]);
        assert_eq!(mean.ancestors[2].parents, Some(vec![parent(1, 1.0)]));
        assert_eq!(mean.parents, Some(vec![parent(2, 0.7), parent(3, 0.3)]));
        // A mean of a mean and of what is in it.
        let next = after(&[(&left, 0.5), (&mean, 0.5)], "next");
        assert_eq!(names(&next), ["a", "left", "right", "mean"]);
        assert_eq!(next.ancestors[3].parents, mean.parents);
        assert_eq!(next.parents, Some(vec![parent(2, 0.5), parent(4, 0.5)]));
        assert_eq!(next.check_lineage(), Ok(()));
    }

    #[test]
    fn two_fresh_networks_stay_two() {
        let (a, b) = (named("a"), named("b"));
        let mean = after(&[(&a, 0.5), (&b, 0.5)], "mean");
        assert_eq!(mean.ancestors[1].parents, Some(Vec::new()));
        let again = after(&[(&mean, 1.0)], "again");
        assert_eq!(again.ancestors[..2], mean.ancestors[..]);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut card = after(&[(&named("a"), 1.0)], "b");
        for (nonsense, word) in
            [(parent(0, 1.0), "ancestor 0"), (parent(2, 1.0), "ancestor 2"), (parent(1, -1.0), "counts -1")]
        {
            card.parents = Some(vec![nonsense]);
            assert!(card.check_lineage().unwrap_err().contains(word), "{nonsense:?}");
        }
    }
}
