//! How much each piece of evidence weighs, and how it is told to people.
//!
//! The weights are log-odds, fitted on the development split of the corpus (`docs/extraction.md`); the test split had
//! no part in them. A new piece of evidence is a line in the table.

/// A piece of evidence: feature, weight, rule, reason.
macro_rules! evidence {
    ($($name:ident $weight:literal $rule:literal $reason:literal)*) => {
        /// The pieces of evidence, in the order of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Feature { $($name,)* }
        /// Weight, rule and reason of each.
        pub(super) const TABLE: &[(f32, &str, &str)] = &[$(($weight, $rule, $reason),)*];
        /// Their names, for fitting.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

/// How many pieces of evidence there are.
pub(super) const COUNT: usize = TABLE.len();

#[rustfmt::skip]
evidence! {
    Bias              -3.75 "form"               ""
    Digits4            0.64 "form"               "it has the form of a code"
    Digits5            1.39 "form"               "it has the form of a code"
    Digits6            1.74 "form"               "it has the form of a code"
    Digits7           -0.61 "form"               "it has the form of a code"
    Digits8            0.82 "form"               "it has the form of a code"
    DigitsMany        -1.96 "form"               "it is longer than most codes"
    Grouped            0.22 "form"               "it is written in groups"
    LeadingZero        0.00 "form"               "it begins with a zero"
    YearLike          -0.76 "form"               "it could be a year"
    DayLike           -1.50 "form"               "it could be a date"
    Mixed              0.78 "form"               "it has the form of a code"
    MixedLong         -2.63 "form"               "it is longer than most codes"
    MixedPoor         -0.60 "form"               "it is a word or number with one character added"
    Joined             0.98 "form"               "it has the form of a code"
    Cells              1.38 "cells"              "each character has a cell of its own"
    Prefixed           0.00 "form"               "it has a letter before it, as some codes have"
    Letters           -2.41 "form"               "it has letters only"
    Words              0.47 "form"               "it consists of words"
    WordsOnly         -0.49 "form"               "it consists of words"
    NameBefore         2.66 "label_before"       "the name of a verification code stands before it"
    NameDirect         0.50 "label_before"       "the name of a verification code stands right before it"
    NameAfter          2.87 "label_after"        "the name of a verification code stands after it"
    NameAfterDirect    1.04 "label_after"        "the name of a verification code stands right after it"
    LooseBefore        1.07 "loose_label_before" "a word such as \"code\" stands before it"
    LooseDirect        0.00 "loose_label_before" "a word such as \"code\" stands right before it"
    LooseAfter         1.10 "loose_label_after"  "a word such as \"code\" stands after it"
    LooseAfterDirect   0.26 "loose_label_after"  "a word such as \"code\" stands right after it"
    AskBefore          1.30 "asked_for"          "the text asks to enter it"
    AskDirect          1.03 "asked_for"          "the text asks to enter it"
    AskAfter           1.18 "asked_for"          "the text asks to enter it"
    AskAfterDirect     1.00 "asked_for"          "the text asks to enter it"
    AskLine            0.95 "asked_for"          "the line before asks to enter it"
    AskUnclaimed       0.55 "asked_for"          "the text asks to enter it and calls it nothing else"
    AskOnTopic         0.24 "asked_for"          "the text asks to enter it to prove something"
    NameTight          0.28 "label_before"       "nothing but a colon or a verb stands between it and its name"
    LooseTight         0.26 "loose_label_before" "nothing but a colon or a verb stands between it and a word such as \"code\""
    Copula             1.69 "label_before"       "its name is said to be it"
    SequenceUnlabelled  -2.77 "form"              "it is a sequence and nothing names it"
    SequenceQuoted    -1.68 "quotation"          "it is a sequence in a quotation"
    YearUnlabelled    -1.75 "form"               "it could be a year and nothing names it"
    Sole               0.77 "only_number"        "it is the only number that nothing else explains"
    SoleOnTopic        0.17 "only_number"        "it is the only number that nothing else explains, and the message is about proving something"
    SoleAsked          0.00 "only_number"        "it is the only number that nothing else explains, and entry is asked for"
    StartLoose         1.98 "loose_label_after"  "it opens the sentence and is called a code there"
    StartTopic         0.86 "opens_sentence"     "it opens a sentence about proving something"
    Round             -3.11 "nature"             "it is a round number"
    CouponShape       -1.27 "form"               "it is a word with a number, as coupons are"
    CouponOffer       -3.33 "other_purpose"      "it has the form of a coupon in a message with an offer"
    Footer            -1.20 "boilerplate"        "it stands in the small print"
    Bare              -1.19 "form"               "nothing near speaks of it"
    FigureDirect      -0.30 "figure"             "the text calls it a number, right beside it"
    FigureAsked        1.58 "asked_for"          "the text asks to enter the number"
    YoursDirect        1.48 "label_before"       "the text calls it your code"
    Sequence           0.00 "form"               "it is a sequence or repeats one digit"
    Boilerplate       -0.04 "boilerplate"        "its line is one of addresses, numbers and notices"
    Crowded           -0.27 "boilerplate"        "several other numbers share its line"
    LinkHolds          1.64 "in_link"            "a link of the message carries it too"
    InQuotes          -1.61 "quotation"          "it is part of a longer quotation"
    StateZip          -4.01 "decoy"              "it follows a state, as a postal code does"
    Twice              0.00 "repeated"           "the subject has it too"
    TopicNear          0.91 "topic"              "signing in or proving something is spoken of beside it"
    ValidityNear       0.25 "validity"           "the text beside it says how long it is valid"
    OldNear           -2.13 "old"                "it is called old or expired"
    RecoveryNear      -0.37 "recovery"           "it is one of several backup codes"
    CouponNear        -1.07 "other_purpose"      "a coupon or discount is spoken of beside it"
    MeetingNear       -2.13 "other_purpose"      "a meeting is spoken of beside it"
    DoorNear          -0.57 "other_purpose"      "a door, a locker or a network is spoken of beside it"
    ThingDirect       -1.50 "decoy"              "it is named as the number of something"
    PlaceDirect       -1.20 "decoy"              "it is part of an address, a phone, a card or a version"
    NumberDirect      -4.44 "decoy"              "it is named as something else, such as an order number"
    OtherCodeDirect   -3.41 "decoy"              "it is named as the code of a coupon, a meeting or a door"
    DecoyAfterDirect  -0.20 "decoy"              "the name of something else follows it"
    DecoyNear          0.00 "decoy"              "something else with a number is spoken of beside it"
    Alone              2.31 "own_line"           "it stands alone on its line"
    AloneAnnounced     0.42 "own_line"           "it stands alone on its line in a message that announces a code"
    Emphasis           2.31 "emphasis"           "it is set apart from the text around it"
    InSubject          0.00 "subject"            "it stands in the subject"
    Quoted            -6.00 "quoted"             "it stands in a quoted earlier message"
    Forwarded         -1.96 "forwarded"          "it stands in a forwarded message"
    Named              0.00 "topic"              "the message speaks of a verification code"
    NamedInSubject     0.00 "subject_label"      "the subject announces a code"
    LooseInMessage     0.00 "topic"              "the message speaks of a code"
    LooseInSubject     0.19 "subject_label"      "the subject speaks of a code"
    Topic              0.00 "topic"              "the message is about signing in or proving something"
    TopicInSubject     0.21 "topic"              "the subject is about signing in or proving something"
    Validity           0.17 "validity"           "the text says how long something is valid"
    Warning            0.30 "warning"            "the text warns against sharing it"
    Asks               0.23 "asked_for"          "the text asks for entry"
    Device             1.05 "topic"              "the message is about a device"
    MeetingMood       -2.51 "other_purpose"      "the message is about a meeting"
    CouponMood        -0.58 "other_purpose"      "the message offers a discount"
    DoorMood           0.00 "other_purpose"      "the message is about a door or a network"
    ReplySubject       0.00 "quoted"             "the message is an answer or passed on"
    Quantity          -2.79 "nature"             "by what follows it is an amount or a year"
    PhoneLike         -3.93 "nature"             "it is part of a longer number, such as a phone number"
    Impossible        -9.00 "nature"             "by its form it is a date, a time, money, a version or the like"
    WordInText        -4.00 "word"               "it looks like an ordinary word"
    WordApart          0.57 "word"               "it stands apart from the words around it"
    WordUnnamed       -3.96 "word"               "it looks like a word and nothing names it"
    Unlabelled         0.00 "form"               "nothing near names it as a code"
    ClaimedNotNamed   -0.07 "decoy"              "it is named as something else and not as a code"
    LooseElsewhere    -2.59 "other_purpose"      "the code is that of a meeting, a coupon or a door"
    LooseOnTopic       0.00 "loose_label_before" "the message is about proving something and calls it a code"
}
