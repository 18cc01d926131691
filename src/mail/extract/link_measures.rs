//! What can be measured about a link and its message besides the evidence; see [`crate::mail::extract::measures`].

use crate::mail::extract::measures::log;
use crate::mail::extract::measures::measures;
use crate::mail::extract::measures::share;
use crate::mail::extract::measures::words;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
use crate::mail::extract::url;
use crate::mail::extract::wording::Kind;

measures! { LinkMeasure
    Score            "evidence"      "all in all the words around it"
    Margin           "rivals"        "the distance to the next best link"
    Rank             "rivals"        "its rank among the links of the message"
    Rivals           "rivals"        "other links that could be it as well"
    Size             "message"       "the length of the message"
    Lines            "message"       "the length of the message"
    Numbers          "message"       "how many numbers the message has"
    Links            "message"       "how many links the message has"
    VerifyWords      "message"       "how often the message speaks of confirming"
    ResetWords       "message"       "how often the message speaks of a new password"
    SignInWords      "message"       "how often the message speaks of signing in"
    InviteWords      "message"       "how often the message speaks of an invitation"
    OtherLinkWords   "message"       "the message has links of other purposes"
    NotMeWords       "message"       "the message speaks to those who did not ask for it"
    LeaveWords       "message"       "the message can be unsubscribed from"
    ClickWords       "message"       "how often the message asks to follow a link"
    NameWords        "message"       "how often the message speaks of verification codes"
    TopicWords       "message"       "how often the message speaks of signing in or proving something"
    ValidityWords    "message"       "how often the message speaks of validity"
    WarningWords     "message"       "the warnings in the message"
    DecoyWords       "message"       "how often the message speaks of orders, invoices and the like"
    NewsWords        "message"       "the message reads like news, a report or documentation"
    ExampleWords     "message"       "the message gives examples"
    PastWords        "message"       "the message tells of what is over"
    CouponWords      "message"       "the message speaks of offers"
    MeetingWords     "message"       "the message speaks of meetings"
    HandoverWords    "message"       "the message speaks of handing something over"
    MoneyWords       "message"       "the message speaks of money"
    MonthWords       "message"       "the dates in the message"
    SenderAccounts   "sender"        "the sender's address is one for accounts"
    SenderOthers     "sender"        "the sender's address is one for other business"
    SubjectTagged    "subject"       "the subject begins like that of a list or tracker"
    Position         "place"         "how far down it stands"
    AnchorWords      "anchor"        "the length of its text"
    AloneOnLine      "place"         "it stands alone on its line"
    TokenLinks       "rivals"        "how many links of the message carry a token"
    Buttons          "button"        "how many buttons the message has"
    OnlyButton       "button"        "it is the only button"
    Before           "place"         "the links before it"
    Query            "path"          "the length of its query"
    Path             "path"          "the depth of its path"
    Secret           "token"         "how much of its address could not be guessed"
    SameHost         "host"          "how many links of the message lead to its host"
}

/// How many measures there are.
pub(super) const COUNT: usize = MEASURES.len();

/// The measures of one link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LinkMeasures(pub(super) [f32; COUNT]);

impl LinkMeasures {
    /// The measures of a message, the same for each of its links.
    pub(super) fn of_message(mood: &Mood) -> Self {
        let mut own = Self([0.0; COUNT]);
        own.set(LinkMeasure::Size, log(mood.size));
        own.set(LinkMeasure::Lines, log(mood.lines));
        own.set(LinkMeasure::Numbers, log(mood.numbers));
        own.set(LinkMeasure::Links, log(mood.link_count));
        for (measure, kinds) in COUNTED {
            own.set(*measure, kinds.iter().map(|kind| mood.count(*kind)).sum::<f32>().ln_1p());
        }
        own.flag(LinkMeasure::SenderAccounts, mood.sender.accounts);
        own.flag(LinkMeasure::SenderOthers, mood.sender.others);
        let subject = mood.subject.trim_start();
        own.flag(LinkMeasure::SubjectTagged, subject.starts_with(['[', '<', '(', '【']) || subject.contains('#'));
        own
    }

    pub(super) fn set(&mut self, measure: LinkMeasure, value: f32) {
        if let Some(place) = self.0.get_mut(measure as usize) {
            *place = value;
        }
    }

    pub(super) fn flag(&mut self, measure: LinkMeasure, holds: bool) {
        self.set(measure, f32::from(u8::from(holds)));
    }

    /// Adds what can be measured of a link: its page, where its text stands, that text, its address.
    pub(super) fn measure(&mut self, page: &Page, (start, end): (usize, usize), text: &str, address: &str) {
        self.set(LinkMeasure::Position, share(start, page.visible.len().max(1)));
        self.set(LinkMeasure::AnchorWords, log(words(text)));
        let (from, to) = (page.folded.folded(start), page.folded.folded(end));
        let line = page.lines.get(page.line_at(from)).copied();
        let alone = line.is_some_and(|line| line.start + 4 >= from && line.end <= to + 4);
        self.flag(LinkMeasure::AloneOnLine, alone);
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let (path, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
        self.set(LinkMeasure::Query, log(query.len()));
        self.set(LinkMeasure::Path, log(path.matches('/').count()));
        self.set(LinkMeasure::Secret, log(url::secret(address)));
    }
}

const COUNTED: &[(LinkMeasure, &[Kind])] = &[
    (LinkMeasure::VerifyWords, &[Kind::Verify]),
    (LinkMeasure::ResetWords, &[Kind::Reset]),
    (LinkMeasure::SignInWords, &[Kind::SignIn]),
    (LinkMeasure::InviteWords, &[Kind::Invite]),
    (LinkMeasure::OtherLinkWords, &[Kind::OtherLink]),
    (LinkMeasure::NotMeWords, &[Kind::NotMe]),
    (LinkMeasure::LeaveWords, &[Kind::Unsubscribe]),
    (LinkMeasure::ClickWords, &[Kind::Click]),
    (LinkMeasure::NameWords, &[Kind::Name]),
    (LinkMeasure::TopicWords, &[Kind::Topic]),
    (LinkMeasure::ValidityWords, &[Kind::Validity]),
    (LinkMeasure::WarningWords, &[Kind::Warning]),
    (LinkMeasure::DecoyWords, &[Kind::Number, Kind::Thing]),
    (LinkMeasure::NewsWords, &[Kind::News]),
    (LinkMeasure::ExampleWords, &[Kind::Example]),
    (LinkMeasure::PastWords, &[Kind::Past]),
    (LinkMeasure::CouponWords, &[Kind::Coupon]),
    (LinkMeasure::MeetingWords, &[Kind::Meeting]),
    (LinkMeasure::HandoverWords, &[Kind::Handover]),
    (LinkMeasure::MoneyWords, &[Kind::Money]),
    (LinkMeasure::MonthWords, &[Kind::Month]),
];
