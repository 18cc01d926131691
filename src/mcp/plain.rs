//! The tools for programs that speak plain HTTP: a list, and a call that answers with the bare result.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::http::{Origin, Problem, context};
use crate::operations::{Services, Surface};

use super::tools::{self, Toolset};
use super::{call as calls, untrusted};

/// `GET /api/mcp/tools`.
pub(super) async fn tools(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let work = async {
        let ctx = context(&services, &origin, &headers, Surface::Mcp).await?;
        let toolset = Toolset::of_query(query.as_deref())?;
        let tools: Vec<_> = tools::list(toolset, &ctx.caller).map(|listed| &listed.tool).collect();
        Ok(Json(json!({ "success": true, "tools": tools })))
    };
    work.await.map_err(|error| Problem::new(error, &origin))
}

/// `POST /api/mcp/call`.
pub(super) async fn call(
    State(services): State<Services>,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Problem> {
    let work = async {
        let ctx = context(&services, &origin, &headers, Surface::Mcp).await?;
        let toolset = Toolset::of_query(query.as_deref())?;
        let Json(body) = body.map_err(|rejection| Error::invalid("", format!("{}.", rejection.body_text())))?;
        let (tool, arguments) = asked(body)?;
        let listed = tools::find(toolset, &tool)
            .ok_or_else(|| Error::invalid("tool", "names no tool; GET /api/mcp/tools lists those there are"))?;
        let result = calls::perform(&ctx, listed, arguments).await?;
        let mut answer = json!({ "success": true });
        if untrusted::is_mail(listed.entry.spec.scope)
            && let Some(mark) = untrusted::name(&result)
        {
            answer[untrusted::FIELD] = mark;
        }
        answer["result"] = result;
        Ok(Json(answer).into_response())
    };
    work.await.map_err(|error| Problem::new(error, &origin))
}

/// `{"tool": NAME, "arguments": {…}}`.
fn asked(body: Value) -> Result<(String, Map<String, Value>)> {
    let Value::Object(mut body) = body else { return Err(Error::invalid("", "The body must be a JSON object.")) };
    let Some(Value::String(tool)) = body.remove("tool") else {
        return Err(Error::invalid("tool", "is missing; it is the name of a tool"));
    };
    match body.remove("arguments") {
        None | Some(Value::Null) => Ok((tool, Map::new())),
        Some(Value::Object(arguments)) => Ok((tool, arguments)),
        Some(_) => Err(Error::invalid("arguments", "must be an object")),
    }
}
