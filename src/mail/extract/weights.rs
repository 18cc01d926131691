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
    Bias              -3.22 "form"               ""
    Digits4            0.55 "form"               "it has the form of a code"
    Digits5            1.27 "form"               "it has the form of a code"
    Digits6            1.69 "form"               "it has the form of a code"
    Digits7           -0.39 "form"               "it has the form of a code"
    Digits8            0.76 "form"               "it has the form of a code"
    DigitsMany        -2.05 "form"               "it is longer than most codes"
    Grouped            0.16 "form"               "it is written in groups"
    LeadingZero        0.00 "form"               "it begins with a zero"
    YearLike          -0.64 "form"               "it could be a year"
    DayLike           -1.50 "form"               "it could be a date"
    Mixed              0.76 "form"               "it has the form of a code"
    MixedLong         -2.64 "form"               "it is longer than most codes"
    MixedPoor         -0.48 "form"               "it is a word or number with one character added"
    Joined             0.94 "form"               "it has the form of a code"
    Cells              1.52 "cells"              "each character has a cell of its own"
    Prefixed           0.00 "form"               "it has a letter before it, as some codes have"
    Letters           -2.56 "form"               "it has letters only"
    Words              0.66 "form"               "it consists of words"
    WordsOnly         -0.24 "form"               "it consists of words"
    NameBefore         2.76 "label_before"       "the name of a verification code stands before it"
    NameDirect         0.75 "label_before"       "the name of a verification code stands right before it"
    NameAfter          2.93 "label_after"        "the name of a verification code stands after it"
    NameAfterDirect    1.02 "label_after"        "the name of a verification code stands right after it"
    LooseBefore        1.13 "loose_label_before" "a word such as \"code\" stands before it"
    LooseDirect        0.00 "loose_label_before" "a word such as \"code\" stands right before it"
    LooseAfter         1.02 "loose_label_after"  "a word such as \"code\" stands after it"
    LooseAfterDirect   0.41 "loose_label_after"  "a word such as \"code\" stands right after it"
    AskBefore          1.37 "asked_for"          "the text asks to enter it"
    AskDirect          1.17 "asked_for"          "the text asks to enter it"
    AskAfter           1.13 "asked_for"          "the text asks to enter it"
    AskAfterDirect     0.86 "asked_for"          "the text asks to enter it"
    AskLine            0.88 "asked_for"          "the line before asks to enter it"
    AskUnclaimed       0.91 "asked_for"          "the text asks to enter it and calls it nothing else"
    AskOnTopic         0.00 "asked_for"          "the text asks to enter it to prove something"
    NameTight          0.14 "label_before"       "nothing but a colon or a verb stands between it and its name"
    LooseTight         0.22 "loose_label_before" "nothing but a colon or a verb stands between it and a word such as \"code\""
    Copula             1.78 "label_before"       "its name is said to be it"
    SequenceUnlabelled  -2.60 "form"              "it is a sequence and nothing names it"
    SequenceQuoted    -1.82 "quotation"          "it is a sequence in a quotation"
    YearUnlabelled    -1.34 "form"               "it could be a year and nothing names it"
    StartLoose         2.19 "loose_label_after"  "it opens the sentence and is called a code there"
    StartTopic         0.88 "opens_sentence"     "it opens a sentence about proving something"
    Round             -2.78 "nature"             "it is a round number"
    CouponShape       -1.25 "form"               "it is a word with a number, as coupons are"
    CouponOffer       -3.32 "other_purpose"      "it has the form of a coupon in a message with an offer"
    Footer            -1.28 "boilerplate"        "it stands in the small print"
    Bare              -1.36 "form"               "nothing near speaks of it"
    FigureDirect      -0.46 "figure"             "the text calls it a number, right beside it"
    FigureAsked        1.97 "asked_for"          "the text asks to enter the number"
    YoursDirect        1.32 "label_before"       "the text calls it your code"
    Sequence           0.00 "form"               "it is a sequence or repeats one digit"
    Boilerplate       -0.27 "boilerplate"        "its line is one of addresses, numbers and notices"
    Crowded           -0.57 "boilerplate"        "several other numbers share its line"
    LinkHolds          1.68 "in_link"            "a link of the message carries it too"
    InQuotes          -1.60 "quotation"          "it is part of a longer quotation"
    StateZip          -4.01 "decoy"              "it follows a state, as a postal code does"
    Twice              0.00 "repeated"           "the subject has it too"
    TopicNear          0.96 "topic"              "signing in or proving something is spoken of beside it"
    ValidityNear       0.36 "validity"           "the text beside it says how long it is valid"
    OldNear           -2.35 "old"                "it is called old or expired"
    RecoveryNear      -0.41 "recovery"           "it is one of several backup codes"
    CouponNear        -1.33 "other_purpose"      "a coupon or discount is spoken of beside it"
    MeetingNear       -2.08 "other_purpose"      "a meeting is spoken of beside it"
    DoorNear          -0.41 "other_purpose"      "a door, a locker or a network is spoken of beside it"
    ThingDirect       -1.79 "decoy"              "it is named as the number of something"
    PlaceDirect       -1.20 "decoy"              "it is part of an address, a phone, a card or a version"
    NumberDirect      -4.51 "decoy"              "it is named as something else, such as an order number"
    OtherCodeDirect   -3.42 "decoy"              "it is named as the code of a coupon, a meeting or a door"
    DecoyAfterDirect  -0.20 "decoy"              "the name of something else follows it"
    DecoyNear          0.00 "decoy"              "something else with a number is spoken of beside it"
    Alone              2.46 "own_line"           "it stands alone on its line"
    AloneAnnounced     0.61 "own_line"           "it stands alone on its line in a message that announces a code"
    Emphasis           2.17 "emphasis"           "it is set apart from the text around it"
    InSubject          0.00 "subject"            "it stands in the subject"
    Quoted            -6.00 "quoted"             "it stands in a quoted earlier message"
    Forwarded         -1.97 "forwarded"          "it stands in a forwarded message"
    Named              0.00 "topic"              "the message speaks of a verification code"
    NamedInSubject     0.00 "subject_label"      "the subject announces a code"
    LooseInMessage     0.00 "topic"              "the message speaks of a code"
    LooseInSubject     0.26 "subject_label"      "the subject speaks of a code"
    Topic              0.00 "topic"              "the message is about signing in or proving something"
    TopicInSubject     0.07 "topic"              "the subject is about signing in or proving something"
    Validity           0.06 "validity"           "the text says how long something is valid"
    Warning            0.31 "warning"            "the text warns against sharing it"
    Asks               0.17 "asked_for"          "the text asks for entry"
    Device             1.41 "topic"              "the message is about a device"
    MeetingMood       -2.58 "other_purpose"      "the message is about a meeting"
    CouponMood        -0.69 "other_purpose"      "the message offers a discount"
    DoorMood          -0.00 "other_purpose"      "the message is about a door or a network"
    ReplySubject       0.00 "quoted"             "the message is an answer or passed on"
    Quantity          -2.98 "nature"             "by what follows it is an amount or a year"
    PhoneLike         -4.01 "nature"             "it is part of a longer number, such as a phone number"
    Impossible        -9.00 "nature"             "by its form it is a date, a time, money, a version or the like"
    WordInText        -3.66 "word"               "it looks like an ordinary word"
    WordApart          0.54 "word"               "it stands apart from the words around it"
    WordUnnamed       -4.11 "word"               "it looks like a word and nothing names it"
    Unlabelled         0.00 "form"               "nothing near names it as a code"
    ClaimedNotNamed   -0.37 "decoy"              "it is named as something else and not as a code"
    LooseElsewhere    -2.83 "other_purpose"      "the code is that of a meeting, a coupon or a door"
    LooseOnTopic       0.00 "loose_label_before" "the message is about proving something and calls it a code"
}
