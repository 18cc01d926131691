//! Search: one question for every door.

use chrono::Utc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::mail::search::{Condition, Fault, Highlight, Query, highlights, parse};
use crate::store;
use crate::store::search::Question;
use crate::types::{Address, MessageSummary, Page, PageRequest, Scope, Text, Timestamp};

use super::context::within;
use super::listing::listing;
use super::{Confinement, Ctx, Effect, Method, Operation, Spec, snake_case};

/// Counting goes no further: who needs more narrows the search.
const MOST_COUNTED: i64 = 10_000;

listing! {
    /// Lists the messages of all mailboxes outside the trash, newest first; with any of the texts, those that have them all.
    ///
    /// `q` is a search: words, "phrases" and operators such as `from:shop subject:"your code" has:attachment is:unread after:7d
    /// -list-id:news`. A word finds what begins with it; in scripts without spaces, any part. A message can be found a moment
    /// after it was accepted.
    #[derive(Serialize)]
    pub struct ListAllEmails {
        /// A search: words, "phrases", operators; each with - in front for the opposite.
        #[schemars(example = &"from:shop \"your code\" is:unread")]
        pub q: Option<Text<1000>>,
        /// Just those of this mailbox.
        pub mailbox: Option<Address>,
        /// Just those whose author's name or address contains this.
        pub from: Option<Text<200>>,
        /// Just those whose subject contains this.
        pub subject: Option<Text<200>>,
        /// Just those with these words, next to each other, in their text.
        pub content: Option<Text<200>>,
        /// Just those accepted at this time or later, in Unix seconds.
        pub start_time: Option<Timestamp>,
        /// Just those accepted at this time or earlier, in Unix seconds.
        pub end_time: Option<Timestamp>,
        /// Just read ones, or just unread ones.
        pub is_read: Option<bool>,
        /// Just starred ones, or just those without a star.
        pub is_starred: Option<bool>,
        /// Just those with a code or link, or just those without.
        pub has_code: Option<bool>,
        /// `true` lists those that are kept apart, since the author's domain disowns them, in place of all others.
        pub is_quarantined: Option<bool>,
    }
}

/// A message in a list, with the places that were asked for.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FoundEmail {
    /// As in other lists.
    #[serde(flatten)]
    pub summary: MessageSummary,
    /// Where the words that were asked for stand; left out where nothing was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
}

impl Operation for ListAllEmails {
    type Output = Page<FoundEmail>;
    const SPEC: Spec = Spec {
        name: "list_all_emails",
        title: "List or search all messages",
        rest: (Method::Get, "/messages"),
        scope: Scope::MailRead,
        effect: Effect::Read,
        audit: None,
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Page<FoundEmail>> {
        let page = self.page();
        match self.query()? {
            Some(query) => self.found(ctx, &query, &page).await,
            None => self.listed(ctx, &page).await,
        }
    }
}

/// Searches all messages outside the trash, newest first, by words, fields, times and marks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SearchEmails(pub ListAllEmails);

impl Operation for SearchEmails {
    type Output = Page<FoundEmail>;
    const SPEC: Spec = Spec {
        name: "search_emails",
        title: "Search messages",
        rest: (Method::Get, "/messages/search"),
        scope: Scope::MailRead,
        effect: Effect::Read,
        audit: None,
    };
    const CONFINEMENT: Confinement = Confinement::Itself;

    async fn run(self, ctx: &Ctx) -> Result<Page<FoundEmail>> {
        self.0.run(ctx).await
    }
}

impl ListAllEmails {
    /// What the texts ask for; `None` where there are none, and a list does.
    fn query(&self) -> Result<Option<Query>> {
        let now = Utc::now();
        let wrong = |field: &'static str| move |fault: Fault| Error::invalid(field, fault.to_string());
        let mut query = match &self.q {
            Some(q) => parse(q.as_str(), now).map_err(wrong("q"))?,
            None => Query::default(),
        };
        let texts = [("from", "from", &self.from), ("subject", "subject", &self.subject)];
        for (field, operator, text) in texts {
            if let Some(text) = given(text.as_ref()) {
                query.and(operator, text, now).map_err(|fault| Error::invalid(field, fault.reason))?;
            }
        }
        if let Some(mailbox) = &self.mailbox {
            query.and("mailbox", mailbox.as_str(), now).map_err(wrong("mailbox"))?;
        }
        if let Some(text) = given(self.content.as_ref()) {
            query.and_text(text);
        }
        query.conditions.extend(self.start_time.map(Condition::After));
        let after_end = self.end_time.and_then(|end| Timestamp::from_unix(end.unix() + 1));
        query.conditions.extend(after_end.map(Condition::Before));
        if query == Query::default() {
            return Ok(None);
        }
        query.conditions.extend(self.is_read.map(Condition::Read));
        query.conditions.extend(self.is_starred.map(Condition::Starred));
        if let Some(has) = self.has_code {
            query.and_has_code(has);
        }
        Ok(Some(query))
    }

    /// The question to the store; `None` where two conditions contradict each other.
    fn question(&self, query: &Query) -> Option<Question> {
        let question = question(query)?;
        Some(Question { is_quarantined: self.is_quarantined.unwrap_or(false), ..question })
    }

    fn filter(&self) -> store::messages::Filter {
        store::messages::Filter {
            is_read: self.is_read,
            is_starred: self.is_starred,
            has_code: self.has_code,
            is_quarantined: self.is_quarantined.unwrap_or(false),
        }
    }

    /// How many messages there are on all pages; `None` where there are more than [`MOST_COUNTED`].
    async fn total(&self, ctx: &Ctx) -> Result<Option<i64>> {
        let (reach, most) = (ctx.caller.reach(), MOST_COUNTED + 1);
        let mut db = ctx.services.db.acquire().await?;
        let count = match self.query()? {
            None => store::messages::count_all(&mut db, self.filter(), reach, most).await?,
            Some(query) => match self.question(&query) {
                None => 0,
                Some(question) => store::search::count(&mut db, &question, reach, most).await?,
            },
        };
        Ok((count <= MOST_COUNTED).then_some(count))
    }

    async fn listed(&self, ctx: &Ctx, page: &PageRequest) -> Result<Page<FoundEmail>> {
        let mut db = ctx.services.db.acquire().await?;
        let rows =
            store::messages::list_all(&mut db, self.filter(), ctx.caller.reach(), page.after()?, page.fetch(), page.skip())
                .await?;
        let Page { items, next_cursor } = Page::new(rows, page, |row| row.id);
        let items = items.into_iter().map(|summary| FoundEmail { summary, highlights: Vec::new() }).collect();
        Ok(Page { items, next_cursor })
    }

    async fn found(&self, ctx: &Ctx, query: &Query, page: &PageRequest) -> Result<Page<FoundEmail>> {
        let Some(question) = self.question(query) else { return Ok(Page { items: Vec::new(), next_cursor: None }) };
        let mut db = ctx.services.db.acquire().await?;
        let found = store::search::find(&mut db, &question, ctx.caller.reach(), page.after()?, page.fetch(), page.skip()).await?;
        let Page { items: found, next_cursor } = Page::new(found, page, |row| row.sequence);
        let ids: Vec<_> = found.iter().map(|row| row.id.0).collect();
        let mut summaries: std::collections::HashMap<_, _> =
            store::messages::summaries(&mut db, &ids).await?.into_iter().map(|summary| (summary.id, summary)).collect();
        // In the order of the index; what was removed in between is left out.
        let items = found.into_iter().filter_map(|row| {
            let summary = summaries.remove(&row.id)?;
            let from = format!("{} {}", summary.from_name, summary.from_address);
            let highlights = highlights(query, &summary.subject, from.trim(), &row.text);
            Some(FoundEmail { summary, highlights })
        });
        Ok(Page { items: items.collect(), next_cursor })
    }
}

/// How many messages a search with these inputs finds on all pages; `None` where they are too many to count. For callers that want
/// it besides the page.
pub async fn count_found(ctx: &Ctx, inputs: Map<String, Value>) -> Result<Option<i64>> {
    ctx.check_scope(&SearchEmails::SPEC).await?;
    let own: Map<String, Value> = inputs.into_iter().map(|(name, value)| (snake_case(&name), value)).collect();
    let asked: ListAllEmails =
        serde_json::from_value(Value::Object(own)).map_err(|cause| Error::invalid("", cause.to_string()))?;
    within(SearchEmails::default().time_limit(), asked.total(ctx)).await
}

fn given(text: Option<&Text<200>>) -> Option<&str> {
    text.map(Text::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// What the words and operators ask for; `None` where two conditions contradict each other.
fn question(query: &Query) -> Option<Question> {
    let mut question = Question { tsquery: query.tsquery.clone().unwrap_or_default(), ..Question::default() };
    for condition in &query.conditions {
        match *condition {
            Condition::Read(is) if question.is_read.is_some_and(|before| before != is) => return None,
            Condition::Starred(is) if question.is_starred.is_some_and(|before| before != is) => return None,
            Condition::Read(is) => question.is_read = Some(is),
            Condition::Starred(is) => question.is_starred = Some(is),
            Condition::After(time) => question.after = Some(question.after.map_or(time, |before| before.max(time))),
            Condition::Before(time) => question.before = Some(question.before.map_or(time, |before| before.min(time))),
            Condition::Larger(octets) => question.larger = Some(question.larger.map_or(octets, |before| before.max(octets))),
            Condition::Smaller(octets) => question.smaller = Some(question.smaller.map_or(octets, |before| before.min(octets))),
        }
    }
    for (name, has) in &query.services {
        if *has { &mut question.services } else { &mut question.other_services }.push(name.clone());
    }
    Some(question)
}
