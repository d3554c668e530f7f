//! Who is answered where more wait than there is time for: of a full batch each client has the same share, so that one that floods is
//! passed over, which costs little, and the others are answered.

use super::packets::BATCH;

/// Marks those of a full batch that are within the share of their client; `clients` says who sent each.
pub(super) fn within_share<C: PartialEq + Copy>(clients: &[C]) -> [bool; BATCH] {
    let mut within = [true; BATCH];
    // Of each, how many of the same client are before it.
    let mut before = [0; BATCH];
    let mut distinct = 0;
    for (index, client) in clients.iter().enumerate() {
        before[index] = clients[..index].iter().filter(|other| *other == client).count();
        distinct += usize::from(before[index] == 0);
    }
    let share = BATCH / distinct.max(1);
    for (within, before) in within.iter_mut().zip(before) {
        *within = before < share;
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_floods_has_the_share_of_one() {
        let mut clients = [1; BATCH];
        assert_eq!(within_share(&clients), [true; BATCH], "nobody else is there");
        (clients[3], clients[30], clients[31]) = (2, 3, 3);
        let within = within_share(&clients);
        assert!(within[3] && within[30] && within[31]);
        assert_eq!(within.iter().filter(|within| **within).count(), 3 + BATCH / 3);
    }

    #[test]
    fn where_each_is_another_all_are_answered() {
        let clients: [usize; BATCH] = std::array::from_fn(|index| index);
        assert_eq!(within_share(&clients), [true; BATCH]);
    }
}
