//! How much each piece of evidence on a link weighs; see [`crate::mail::extract::weights`].

/// A piece of evidence: feature, weight, rule, reason.
macro_rules! evidence {
    ($($name:ident $weight:literal $rule:literal $reason:literal)*) => {
        /// The pieces of evidence, in the order of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum LinkFeature { $($name,)* }
        /// Weight, rule and reason of each.
        pub(super) const TABLE: &[(f32, &str, &str)] = &[$(($weight, $rule, $reason),)*];
        /// Their names, for the model.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

/// How many pieces of evidence there are.
pub(super) const COUNT: usize = TABLE.len();

#[rustfmt::skip]
evidence! {
    Bias                -2.58 "link"               ""
    AnchorWanted         3.51 "anchor"             "its text says what it is for"
    AnchorWhole          1.41 "anchor"             "its text says nothing but what it is for"
    AnchorRefused       -3.50 "other_purpose"      "its text says that it is for something else"
    AnchorUnsubscribe   -3.24 "other_purpose"      "its text is about leaving a list"
    AnchorNotMe         -5.00 "not_me"             "its text is for those who did not ask for the message"
    AnchorClick          1.03 "click"              "its text asks to follow it"
    AnchorTopic          0.97 "anchor"             "its text is about signing in or proving something"
    AnchorEmpty          1.41 "bare"               "it is written out"
    Button               1.13 "button"             "it looks like a button"
    HostFits             1.18 "host"               "its host belongs to the sender"
    SubjectWanted        0.31 "subject"            "the subject says what it is for"
    SubjectTopic         0.40 "subject"            "the subject is about signing in or proving something"
    BodyWanted           0.00 "topic"              "the message speaks of verifying or the like"
    Topic                0.00 "topic"              "the message is about signing in or proving something"
    BeforeWanted         1.05 "context"            "the words before say what it is for"
    AfterWanted          1.07 "context"            "the words behind say what it is for"
    BeforeTopic          0.60 "context"            "the words before are about signing in or proving something"
    BeforeClick          1.14 "asked_for"          "the text asks to follow it"
    AfterClick           0.00 "asked_for"          "the text asks to follow it"
    NotMeBefore         -3.31 "not_me"             "it is for those who did not ask for the message"
    NotMeAfter          -1.18 "not_me"             "it is for those who did not ask for the message"
    UnsubscribeBefore   -3.53 "other_purpose"      "it is for leaving the list"
    OtherBefore         -1.23 "other_purpose"      "the words before say that it is for something else"
    DecoyBefore         -0.43 "other_purpose"      "the words before are about an order, a ticket or the like"
    PathWanted           2.24 "path"               "its address says what it is for"
    PathOther           -3.09 "other_path"         "its address is that of something else"
    PathNot             -3.38 "not_me"             "its address says no"
    Token                0.00 "token"              "its address carries a token"
    TokenRandom          0.31 "token"              "its address has a long random part"
    NoToken             -3.60 "no_token"           "its address carries nothing that is only for the recipient"
    Home                -2.42 "home"               "it leads to the front page"
    Meeting             -2.17 "other_purpose"      "it leads to a meeting"
    ValidityNear         0.70 "validity"           "the text beside it says how long it is valid"
    Validity             0.00 "validity"           "the text says how long something is valid"
    Once                 0.52 "validity"           "the text warns against passing it on"
    OnlyOne              0.00 "only_link"          "no other link carries a token"
    First                0.72 "first"              "it is the first link that could be one"
    Footer              -2.29 "boilerplate"        "it stands in the small print"
    HoldsCode            1.08 "code"               "it carries the code"
    CodeInMessage        0.00 "code"               "the message has a code to type"
    Quoted              -6.00 "quoted"             "it stands in a quoted earlier message"
    Forwarded           -2.00 "forwarded"          "it stands in a forwarded message"
    MeetingMood         -1.28 "other_purpose"      "the message is about a meeting"
    CouponMood          -1.04 "other_purpose"      "the message offers a discount"
    WantedNoToken       -1.05 "no_token"           "it says what it is for but carries nothing that is only for the recipient"
    WantedOnTopic        0.00 "context"            "its text and the message agree"
}
