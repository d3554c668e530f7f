//! Nothing happens for a while, and all stays as it is.

use std::time::Duration;

use super::Story;

/// Before what stays is held against what is expected: all has just come right.
const FIRST: Duration = Duration::from_secs(1);

impl Story {
    /// Peace, so long.
    pub(super) fn peace(&mut self, lasts: Duration) {
        self.script.remark("peace");
        self.script.go_on_to(self.now() + FIRST);
        let rest = lasts.saturating_sub(FIRST);
        for service in super::work::SERVICES {
            let expected = self.stage.handed_out(service);
            self.script.throughout(rest, &expected);
        }
        self.script.throughout(rest, "sees = { nodes = \"all\", state = [\"alive\", \"suspect\"] }");
        self.script.go_on_to(self.now() + rest);
        self.script.within(Duration::from_secs(30), "agree = \"all\"");
    }
}
