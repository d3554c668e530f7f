//! From values to places, and where ticks are.

/// How many pixels two labels are apart at least.
const APART: f64 = 30.0;
/// Steps between the ticks of a linear axis, about.
const STEPS: f64 = 4.0;

/// From 0 up to some value.
pub(super) struct Linear {
    step: f64,
    steps: usize,
    /// Where 0 and the last tick are.
    ends: (f64, f64),
}

impl Linear {
    /// An axis that holds this value, with round numbers at its ticks.
    pub(super) fn up_to(most: f64, ends: (f64, f64)) -> Linear {
        let most = if most > 0.0 { most } else { 1.0 };
        let power = 10_f64.powf((most / STEPS).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| step * STEPS >= most).unwrap_or(most);
        // What is a step by rounding alone is none.
        Linear { step, steps: ((most / step - 1e-9).ceil() as usize).max(1), ends }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let (from, to) = self.ends;
        from + (to - from) * value / (self.step * self.steps as f64)
    }

    /// Places and their labels.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let digits = (-self.step.log10().floor()).max(0.0) as usize;
        (0..=self.steps).map(move |tick| {
            let value = self.step * tick as f64;
            (self.place(value), grouped(&format!("{value:.digits$}")))
        })
    }
}

/// Over all values that are marked on it.
pub(super) struct Logarithmic {
    values: Vec<f64>,
    ends: (f64, f64),
}

impl Logarithmic {
    /// An axis with a tick for each of these values, which ascend.
    pub(super) fn over(values: impl Iterator<Item = f64>, ends: (f64, f64)) -> Logarithmic {
        Logarithmic { values: values.collect(), ends }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let (from, to) = self.ends;
        match (self.values.first(), self.values.last()) {
            (Some(first), Some(last)) if first < last => from + (to - from) * (value / first).ln() / (last / first).ln(),
            _ => (from + to) / 2.0,
        }
    }

    /// Places and their labels, where there is room for them.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let mut labelled = f64::NEG_INFINITY;
        self.values.iter().map(move |value| {
            let place = self.place(*value);
            let label = if place - labelled >= APART { grouped(&value.to_string()) } else { String::new() };
            if !label.is_empty() {
                labelled = place;
            }
            (place, label)
        })
    }
}

/// With a comma between thousands.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.char_indices().flat_map(|(place, digit)| {
        let comma = (place > 0 && (whole.len() - place) % 3 == 0).then_some(',');
        comma.into_iter().chain([digit])
    });
    digits.chain(rest.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_has_round_numbers_and_holds_the_greatest() {
        let labels = |most| Linear::up_to(most, (0.0, 100.0)).ticks().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(0.32), ["0.0", "0.1", "0.2", "0.3", "0.4"]);
        assert_eq!(labels(2.7), ["0", "1", "2", "3"]);
        assert_eq!(labels(1_800.0), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(0.0), ["0.0", "0.5", "1.0"]);
        for most in [0.004, 0.3, 0.4, 1.0, 7.7, 99.0, 123_456.0] {
            let axis = Linear::up_to(most, (0.0, 100.0));
            assert!((0.0..=100.0 + 1e-6).contains(&axis.place(most)), "{most}");
            assert!((2..=6).contains(&axis.ticks().count()), "{most}");
        }
    }

    #[test]
    fn a_logarithmic_axis_has_equal_ratios_at_equal_distances() {
        let axis = Logarithmic::over([10.0, 100.0, 1_000.0].into_iter(), (50.0, 250.0));
        let ticks: Vec<(f64, String)> = axis.ticks().map(|(place, label)| (place.round(), label)).collect();
        assert_eq!(ticks, [(50.0, "10".to_owned()), (150.0, "100".to_owned()), (250.0, "1,000".to_owned())]);
    }

    #[test]
    fn labels_that_would_touch_are_left_out() {
        let axis = Logarithmic::over([10.0, 11.0, 1_000.0].into_iter(), (0.0, 200.0));
        assert_eq!(axis.ticks().map(|(_, label)| label).collect::<Vec<_>>(), ["10", "", "1,000"]);
    }
}
