//! A list without repetition, in the order in which it was filled. Short ones stand on the stack.

use std::collections::BTreeSet;

use smallvec::SmallVec;

/// Values that stand on the stack: more than fit in a packet with what belongs to them, mostly.
const INLINE: usize = 32;
/// Values up to which looking through all of them is faster than a set.
const FEW: usize = 128;

/// A list in which no value is twice.
pub(super) struct Distinct<T> {
    values: SmallVec<[T; INLINE]>,
    /// The same values, where they are many.
    set: BTreeSet<T>,
}

impl<T: Copy + Ord> Distinct<T> {
    /// Adds a value, unless it is there.
    pub(super) fn push(&mut self, value: T) {
        if self.values.len() < FEW {
            if !self.values.contains(&value) {
                self.values.push(value);
            }
            return;
        }
        if self.set.is_empty() {
            self.set.extend(&self.values);
        }
        if self.set.insert(value) {
            self.values.push(value);
        }
    }
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Distinct { values: SmallVec::new(), set: BTreeSet::new() }
    }
}

impl<T: Copy + Ord> FromIterator<T> for Distinct<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut distinct = Distinct::default();
        values.into_iter().for_each(|value| distinct.push(value));
        distinct
    }
}

impl<T> std::ops::Deref for Distinct<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stands_once_where_it_came_first() {
        for count in [0, 1, 5, FEW, FEW + 1, 10 * FEW] {
            let numbers = || (0..count).map(|n| n * 7 % count);
            let distinct: Distinct<usize> = numbers().chain(numbers()).collect();
            let expected: Vec<usize> = numbers().fold(Vec::new(), |mut seen, n| {
                if !seen.contains(&n) {
                    seen.push(n);
                }
                seen
            });
            assert_eq!(&distinct[..], expected);
        }
    }
}
