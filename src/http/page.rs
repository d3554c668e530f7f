//! Long lists, a page at a time.

use super::parameters::Parameters;
use crate::{
    catalog::Place,
    model::{InstanceId, NodeId, ServiceName},
};

/// Items of a page where `limit` says nothing.
pub const PAGE: usize = 1_000;

/// The most that `limit` takes.
pub const LARGEST_PAGE: usize = 10_000;

/// The key of an item as a cursor. The order of the list is that of its keys, so a page goes on where the last one ended,
/// whatever came and went meanwhile.
pub(super) trait Cursor: Sized {
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

/// Which part of a list is asked for.
pub(super) struct Page<K> {
    limit: usize,
    given: bool,
    /// The last key of the page before.
    pub(super) after: Option<K>,
}

impl<K: Cursor> Page<K> {
    pub(super) fn read(query: &mut Parameters) -> Page<K> {
        let limit = query.one("limit", |text| amount(text, LARGEST_PAGE));
        let after =
            query.one("cursor", |text| K::read(text).ok_or_else(|| format!("{text:?} is no cursor; take `next` of the page before")));
        Page { limit: limit.unwrap_or(PAGE), given: limit.is_some() || after.is_some(), after }
    }

    /// Whether nothing was said of pages.
    pub(super) fn is_plain(&self) -> bool {
        !self.given
    }

    /// The first items of those that follow on [`Page::after`], and the cursor for what is beyond them.
    pub(super) fn cut<T>(&self, items: impl Iterator<Item = T>, key: impl Fn(&T) -> K) -> (Vec<T>, Option<String>) {
        let mut items: Vec<T> = items.take(self.limit + 1).collect();
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(|last| key(last).write());
        (items, next)
    }
}

/// A number of items.
pub(super) fn amount(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number) && text.bytes().all(|octet| octet.is_ascii_digit()));
    number.ok_or_else(|| format!("{text:?} is no whole number from 1 to {most}"))
}

impl Cursor for NodeId {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|id: &NodeId| id.to_string() == text)
    }
}

impl Cursor for ServiceName {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Cursor for Place {
    fn write(&self) -> String {
        format!("{}.{}", self.0, self.1)
    }

    fn read(text: &str) -> Option<Self> {
        let (node, id) = text.split_once('.')?;
        Some((Cursor::read(node)?, InstanceId::new(id).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let place = (NodeId(0xab), InstanceId::new("web.1_a-B").unwrap());
        assert_eq!(Place::read(&place.write()), Some(place));
        for bad in ["", ".", "00000000000000ab", "00000000000000ab.", "ab.web-1", "00000000000000AB.web-1", "+0000000000000ab.web-1"] {
            assert_eq!(Place::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_page_has_a_next_one_when_there_is_more() {
        let cut = |limit, items: &[u64]| Page { limit, given: true, after: None }.cut(items.iter().copied(), |id| NodeId(*id));
        assert_eq!(cut(2, &[1, 2]), (vec![1, 2], None));
        assert_eq!(cut(2, &[1, 2, 3]), (vec![1, 2], Some("0000000000000002".to_owned())));
        assert_eq!(cut(2, &[]), (vec![], None));
    }

    #[test]
    fn an_amount_is_a_plain_number_within_its_bounds() {
        assert_eq!((amount("1", 10), amount("10", 10)), (Ok(1), Ok(10)));
        for bad in ["0", "11", "+1", "-1", "", "1.0", "ten", "99999999999999999999999"] {
            assert!(amount(bad, 10).unwrap_err().contains("from 1 to 10"), "{bad}");
        }
    }
}
