//! How what agents do grows with their number: the same things happen in clusters of different sizes, and what they take is measured.
//!
//! Only what virtual time can tell: how long something takes in it, and what is sent. What processors and memory add is measured with
//! real agents.

mod figure;
mod trial;

pub use figure::{Figure, Samples};

/// What was measured of a cluster of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// Agents.
    pub size: usize,
    /// What was measured, for each figure, in the order of [`Figure::ALL`].
    pub samples: Vec<Samples>,
}

/// Measures a cluster of a size, 3 or more. The seed gives the same figures each time.
pub fn measure(size: usize, seed: u64) -> Growth {
    let mut trial = trial::Trial::new(size, seed);
    let samples = trial.run();
    Growth { size, samples: Figure::ALL.iter().map(|figure| samples.get(figure).cloned().unwrap_or_default()).collect() }
}
