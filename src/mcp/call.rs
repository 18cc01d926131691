//! Calls a tool, and tells its answer or its failure as the protocol does.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::http::{count, told};
use crate::operations::Ctx;

use super::tools::Listed;
use super::{schema, untrusted};

/// Calls a tool. A failure is an answer too, so that the model that called can mend its call.
pub(super) async fn call(ctx: &Ctx, listed: &Listed, arguments: Map<String, Value>) -> CallToolResult {
    match perform(ctx, listed, arguments).await {
        Ok(answer) => success(listed, answer),
        Err(error) => failure(ctx, &error),
    }
}

/// The answer, as the tool tells it.
pub(super) async fn perform(ctx: &Ctx, listed: &Listed, arguments: Map<String, Value>) -> Result<Value> {
    let (_, admitted) = count(ctx, listed.entry.spec.effect).await;
    admitted?;
    match listed.rendering {
        Some(rendering) => rendering.perform(ctx, listed.entry, arguments).await,
        None => listed.entry.call(ctx, arguments).await,
    }
}

fn success(listed: &Listed, answer: Value) -> CallToolResult {
    let mut answer = answer;
    let is_list = !answer.is_object();
    let mark = untrusted::is_mail(listed.entry.spec.scope).then(|| untrusted::fence(&mut answer)).flatten();
    // The earlier system gave lists as they are, and its callers read the text.
    let text = if is_list { pretty(&answer) } else { String::new() };
    let mut structured = schema::structured(answer);
    if let (Some(mark), Some(fields)) = (&mark, structured.as_object_mut()) {
        fields.insert(untrusted::FIELD.to_owned(), mark.clone());
    }
    let mut content = vec![ContentBlock::text(if is_list { text } else { pretty(&structured) })];
    if let (Some(mark), true) = (mark, is_list) {
        content.push(ContentBlock::text(pretty(&mark)));
    }
    let mut result = CallToolResult::structured(structured);
    result.content = content;
    result
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn failure(ctx: &Ctx, error: &Error) -> CallToolResult {
    let mut body = told(error);
    body["request_id"] = ctx.request_id.as_str().into();
    if let Error::TooMany { retry_after } = error {
        body["retry_after_seconds"] = retry_after.as_secs().max(1).into();
    }
    let sentence = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = format!("Error: {} {}", sentence("detail"), sentence("fix"));
    let mut result = CallToolResult::structured_error(body);
    result.content = vec![ContentBlock::text(text)];
    result
}
