//! What is left to say after all scenarios ran: why some failed, and how many.

use std::{
    cell::{Cell, RefCell},
    fmt::Write as _,
    process::ExitCode,
    rc::Rc,
};

use cucumber::gherkin::Scenario;

/// Counts scenarios and keeps what the failed ones left behind. Clones share one count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report {
    passed: Rc<Cell<usize>>,
    failed: Rc<Cell<usize>>,
    skipped: Rc<RefCell<Vec<String>>>,
    remains: Rc<RefCell<String>>,
}

impl Report {
    /// Counts a scenario.
    pub(crate) fn count(&self, passed: bool) {
        let counter = if passed { &self.passed } else { &self.failed };
        counter.set(counter.get() + 1);
    }

    /// Counts a scenario that can't be played here, and says why. It has neither passed nor failed.
    pub(crate) fn skipped(&self, why: &str) {
        self.skipped.borrow_mut().push(why.to_owned());
    }

    /// Keeps what a failed scenario left behind.
    pub(crate) fn failed(&self, feature: &str, scenario: &Scenario, reason: &str, remains: String) {
        let mut text = self.remains.borrow_mut();
        write!(text, "\n=== {feature}: {} (line {})\n{reason}\n{remains}", scenario.name, scenario.position.line)
            .expect("a string takes all");
    }

    /// Prints it all, the totals last and alone on their line.
    pub(crate) fn conclude(&self, failed_otherwise: bool) -> ExitCode {
        print!("{}", self.remains.borrow());
        let (passed, failed) = (self.passed.get(), self.failed.get());
        let skipped = self.skipped.borrow();
        if let Some(why) = skipped.first() {
            println!("\nskipped: {} scenarios that need network namespaces: {why}", skipped.len());
        }
        println!("\n{passed} passed, {failed} failed");
        if failed == 0 && passed > 0 && !failed_otherwise { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
