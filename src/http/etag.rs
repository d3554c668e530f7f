//! Entity tags (RFC 9110, 8.8.3): what is shown, in a few octets.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use siphasher::sip128::SipHasher13;

use super::problem::{Problem, ProblemType};

/// A strong tag: two answers with the same one are the same to the octet, on whatever agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ETag(String);

impl ETag {
    /// The tag of a representation. 128 bits: two representations that share one are not met with in practice.
    pub(super) fn of(representation: &[u8]) -> ETag {
        ETag(format!("\"{:032x}\"", SipHasher13::new().hash(representation).as_u128()))
    }

    /// That of an answer; `None` for one without.
    pub(super) fn read(headers: &HeaderMap) -> Option<ETag> {
        headers.get(header::ETAG)?.to_str().ok().map(|text| ETag(text.to_owned()))
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::try_from(&self.0).expect("hexadecimal digits in quotes")
    }
}

/// What a precondition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tags {
    /// `*`: whatever there is.
    Any,
    /// Some tags.
    These(Vec<Given>),
}

/// A tag as a client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    tag: ETag,
    weak: bool,
}

impl Tags {
    /// The value of `If-Match` or `If-None-Match`, which may be spread over several header fields.
    ///
    /// # Errors
    /// When it is neither `*` nor a list of tags. Passed over, it would let a write through that was to be refused.
    pub(super) fn of(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
        let invalid = || {
            let detail = format!("{name} takes * or tags in quotes with commas between, as in {name}: \"a1b2c3\"; GET gives them as ETag");
            Problem::new(ProblemType::InvalidPrecondition, detail)
        };
        let mut tags = Vec::new();
        let mut values = headers.get_all(name).iter().peekable();
        if values.peek().is_none() {
            return Ok(None);
        }
        for value in values {
            let text = value.to_str().map_err(|_| invalid())?.trim();
            if text == "*" {
                return Ok(Some(Tags::Any));
            }
            read_list(text, &mut tags).ok_or_else(invalid)?;
        }
        if tags.is_empty() { Err(invalid()) } else { Ok(Some(Tags::These(tags))) }
    }

    /// These tags, or where that is any, the one.
    pub(super) fn or(self, tag: &ETag) -> Tags {
        match self {
            Tags::Any => Tags::These(vec![Given { tag: tag.clone(), weak: false }]),
            these => these,
        }
    }

    /// By the comparison for reads, which takes weak tags for what they stand for (RFC 9110, 13.1.2).
    pub(super) fn match_weakly(&self, tag: &ETag) -> bool {
        self.holds(|given| given.tag == *tag)
    }

    /// By the comparison for writes, which a weak tag never passes (RFC 9110, 13.1.1).
    pub(super) fn match_strongly(&self, tag: &ETag) -> bool {
        self.holds(|given| given.tag == *tag && !given.weak)
    }

    fn holds(&self, matches: impl Fn(&Given) -> bool) -> bool {
        match self {
            Tags::Any => true,
            Tags::These(given) => given.iter().any(matches),
        }
    }
}

/// `"a", W/"b"`. A tag may have commas in it, and a list may have empty places (RFC 9110, 5.6.1).
fn read_list(text: &str, tags: &mut Vec<Given>) -> Option<()> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(());
        }
        let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
        let length = quoted.strip_prefix('"')?.find('"')? + 2;
        let (tag, after) = quoted.split_at(length);
        tags.push(Given { tag: ETag(tag.to_owned()), weak });
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_goes_by_content() {
        assert_eq!(ETag::of(b"a"), ETag::of(b"a"));
        assert_ne!(ETag::of(b"a"), ETag::of(b"b"));
        assert_eq!(ETag::of(b"a").0.len(), 34);
    }

    #[test]
    fn lists_are_read_over_several_fields() {
        let given = |tag: &str, weak| Given { tag: ETag(tag.to_owned()), weak };
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["*"]).unwrap(), Some(Tags::Any));
        assert_eq!(
            read(&[r#""a" ,W/"b,c""#, r#", "" "#]).unwrap(),
            Some(Tags::These(vec![given("\"a\"", false), given("\"b,c\"", true), given("\"\"", false)]))
        );
        for bad in ["", "a", "\"a", "\"a\" \"b\"", "w/\"a\"", "\"a\", *", ",", "\"ü"] {
            assert!(read(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_weak_tag_matches_for_reads_only() {
        let tag = ETag::of(b"a");
        let tags = read(&[&format!("W/{}", tag.0)]).unwrap().unwrap();
        assert!(tags.match_weakly(&tag) && !tags.match_strongly(&tag));
        assert!(Tags::Any.match_strongly(&tag) && !Tags::Any.or(&ETag::of(b"b")).match_strongly(&tag));
    }

    fn read(values: &[&str]) -> Result<Option<Tags>, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
        }
        Tags::of(&headers, &header::IF_MATCH)
    }
}
