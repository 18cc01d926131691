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
    Bias                -2.44 "link"               ""
    AnchorWanted         3.17 "anchor"             "its text says what it is for"
    AnchorWhole          1.87 "anchor"             "its text says nothing but what it is for"
    AnchorRefused       -3.47 "other_purpose"      "its text says that it is for something else"
    AnchorUnsubscribe   -3.28 "other_purpose"      "its text is about leaving a list"
    AnchorNotMe         -5.00 "not_me"             "its text is for those who did not ask for the message"
    AnchorClick          0.69 "click"              "its text asks to follow it"
    AnchorTopic          2.04 "anchor"             "its text is about signing in or proving something"
    AnchorEmpty          0.94 "bare"               "it is written out"
    Button               0.94 "button"             "it looks like a button"
    HostFits             1.78 "host"               "its host belongs to the sender"
    SubjectWanted        0.00 "subject"            "the subject says what it is for"
    SubjectTopic         0.00 "subject"            "the subject is about signing in or proving something"
    BodyWanted           0.00 "topic"              "the message speaks of verifying or the like"
    Topic                0.00 "topic"              "the message is about signing in or proving something"
    BeforeWanted         1.34 "context"            "the words before say what it is for"
    AfterWanted          1.27 "context"            "the words behind say what it is for"
    BeforeTopic          0.31 "context"            "the words before are about signing in or proving something"
    BeforeClick          0.88 "asked_for"          "the text asks to follow it"
    AfterClick           0.00 "asked_for"          "the text asks to follow it"
    NotMeBefore         -2.95 "not_me"             "it is for those who did not ask for the message"
    NotMeAfter          -1.04 "not_me"             "it is for those who did not ask for the message"
    UnsubscribeBefore   -3.59 "other_purpose"      "it is for leaving the list"
    OtherBefore         -1.10 "other_purpose"      "the words before say that it is for something else"
    DecoyBefore         -0.43 "other_purpose"      "the words before are about an order, a ticket or the like"
    PathWanted           2.27 "path"               "its address says what it is for"
    PathOther           -3.22 "other_path"         "its address is that of something else"
    PathNot             -3.26 "not_me"             "its address says no"
    Token                0.00 "token"              "its address carries a token"
    TokenRandom          0.26 "token"              "its address has a long random part"
    NoToken             -4.03 "no_token"           "its address carries nothing that is only for the recipient"
    Home                -1.92 "home"               "it leads to the front page"
    Meeting             -0.81 "other_purpose"      "it leads to a meeting"
    ValidityNear         0.95 "validity"           "the text beside it says how long it is valid"
    Validity             0.00 "validity"           "the text says how long something is valid"
    Once                 0.71 "validity"           "the text warns against passing it on"
    OnlyOne              0.00 "only_link"          "no other link carries a token"
    First                0.39 "first"              "it is the first link that could be one"
    Footer              -2.40 "boilerplate"        "it stands in the small print"
    HoldsCode            1.28 "code"               "it carries the code"
    CodeInMessage        0.00 "code"               "the message has a code to type"
    Quoted              -6.00 "quoted"             "it stands in a quoted earlier message"
    Forwarded           -2.00 "forwarded"          "it stands in a forwarded message"
    MeetingMood         -0.67 "other_purpose"      "the message is about a meeting"
    CouponMood          -0.96 "other_purpose"      "the message offers a discount"
    WantedNoToken       -0.39 "no_token"           "it says what it is for but carries nothing that is only for the recipient"
    WantedOnTopic        0.00 "context"            "its text and the message agree"
}
