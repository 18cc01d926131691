//! The part of an installation that a caller sees.

use super::{Address, DomainName};

/// The part of an installation that a caller sees. What lies outside is, for the caller, not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reach {
    /// All of it.
    #[default]
    All,
    /// Just these domains with their mailboxes, and these mailboxes.
    Only {
        /// Domains whose mailboxes are all seen.
        domains: Vec<DomainName>,
        /// Mailboxes that are seen one by one.
        mailboxes: Vec<Address>,
    },
}

impl Reach {
    /// Whether this is everything.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether a mailbox is seen, by its own address.
    pub fn has_mailbox(&self, address: &Address) -> bool {
        let Self::Only { domains, mailboxes } = self else { return true };
        domains.iter().any(|domain| domain.as_str() == address.domain_str()) || mailboxes.contains(address)
    }

    /// Whether an address is seen as a sub-address: `a+detail@x` goes where `a@x` goes, unless it has a mailbox of its own.
    pub fn has_base(&self, address: &Address) -> bool {
        address.split_detail().is_some_and(|(base, _)| self.has_mailbox(&base))
    }

    /// Whether a domain is seen as a whole.
    pub fn has_domain(&self, name: &DomainName) -> bool {
        match self {
            Self::All => true,
            Self::Only { domains, .. } => domains.contains(name),
        }
    }

    /// The names for a statement: domains, then mailboxes; `None` for everything.
    pub fn names(&self) -> Option<(Vec<String>, Vec<String>)> {
        match self {
            Self::All => None,
            Self::Only { domains, mailboxes } => Some((
                domains.iter().map(|name| name.as_str().to_owned()).collect(),
                mailboxes.iter().map(|address| address.as_str().to_owned()).collect(),
            )),
        }
    }

    /// From the stored form, where two absent lists mean all. A name that no longer reads as one is left out: it narrows.
    pub fn from_stored(domains: Option<&[String]>, mailboxes: Option<&[String]>) -> Self {
        if domains.is_none() && mailboxes.is_none() {
            return Self::All;
        }
        Self::Only {
            domains: domains.unwrap_or_default().iter().filter_map(|name| name.parse().ok()).collect(),
            mailboxes: mailboxes.unwrap_or_default().iter().filter_map(|address| address.parse().ok()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_its_domains_its_mailboxes_and_their_sub_addresses() {
        let reach = Reach::from_stored(Some(&["in.example".to_owned()]), Some(&["one@two.example".to_owned()]));
        for (address, seen) in [
            ("a@in.example", true),
            ("A+x@IN.example", true),
            ("one@two.example", true),
            ("one+tag@two.example", false),
            ("other@two.example", false),
            ("a@sub.in.example", false),
            ("a@xin.example", false),
        ] {
            assert_eq!(reach.has_mailbox(&address.parse().expect("an address")), seen, "{address}");
        }
        for (address, seen) in [("one+tag@two.example", true), ("one@two.example", false), ("other+tag@two.example", false)] {
            assert_eq!(reach.has_base(&address.parse().expect("an address")), seen, "{address}");
        }
        assert!(reach.has_domain(&"in.example".parse().expect("a name")));
        assert!(!reach.has_domain(&"two.example".parse().expect("a name")));
        let nothing = Reach::from_stored(Some(&[]), None);
        assert!(!nothing.has_mailbox(&"a@in.example".parse().expect("an address")));
        assert!(Reach::from_stored(None, None).is_all());
    }
}
