//! Lists that grow with the registry: read a page at a time, as fast as their reader takes them, so that none is ever held whole.

use std::io;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::web::{self, Bytes};
use futures_util::{StreamExt as _, stream};
use lglp_registry::Error;
use serde::Serialize;

use super::State;
use super::answer::Answer;
use super::budget::Charge;
use super::caller::Caller;
use super::extract::blocking;
use super::heavy::heavy;
use super::problem::ApiError;

/// Bytes of a page, before the last record of it.
const PAGE: usize = 256 << 10;

/// A part of a list, as JSON.
pub(super) struct Page<T> {
    json: Vec<u8>,
    /// Whether records stand before it.
    continued: bool,
    failed: Option<Error>,
    records: PhantomData<fn() -> T>,
}

impl<T: Serialize> Page<T> {
    fn new(json: Vec<u8>, continued: bool) -> Self {
        Self {
            json,
            continued,
            failed: None,
            records: PhantomData,
        }
    }

    /// Appends a record; `Break` where the page is full, or a record has no JSON.
    pub(super) fn push(&mut self, record: &T) -> ControlFlow<()> {
        if std::mem::replace(&mut self.continued, true) {
            self.json.push(b',');
        }
        if let Err(source) = serde_json::to_writer(&mut self.json, record) {
            self.failed = Some(Error::Storage {
                doing: "write a list",
                source: Box::new(source),
            });
        }
        if self.json.len() < PAGE && self.failed.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn written(self) -> Result<Vec<u8>, Error> {
        self.failed.map_or(Ok(self.json), Err)
    }
}

/// What stands before and after the records.
pub(super) struct Frame {
    pub open: String,
    pub close: String,
}

impl Frame {
    /// A bare list.
    pub(super) fn array() -> Self {
        Self {
            open: "[".into(),
            close: "]".into(),
        }
    }
}

/// Where a list goes on, and what of it is under way.
struct UnderWay<T, C, F> {
    state: web::Data<State>,
    fill: Arc<F>,
    next: Option<C>,
    close: Option<String>,
    charge: Charge,
    records: PhantomData<fn() -> T>,
}

/// Answers with a list. `fill` appends to a page the records after a cursor, and says where the next page begins, if there is one.
/// Where a later page cannot be read the connection is cut, so that nobody takes the part for the whole.
pub(super) async fn listing<L, T, C, F>(
    state: &web::Data<State>,
    caller: &Caller,
    frame: Frame,
    first: C,
    fill: F,
) -> Result<Answer<L>, ApiError>
where
    T: Serialize + 'static,
    C: Send + 'static,
    F: Fn(&State, C, &mut Page<T>) -> Result<Option<C>, Error> + Send + Sync + 'static,
{
    let mut page = Page::new(frame.open.into_bytes(), false);
    let fill = Arc::new(fill);
    let filled = fill.clone();
    let (next, page) = heavy(state, caller, move |state| {
        let next = filled(state, first, &mut page)?;
        Ok::<_, Error>((next, page.written()?))
    })
    .await?;
    let mut under_way = UnderWay {
        state: state.clone(),
        fill,
        next,
        close: Some(frame.close),
        charge: state.answers.charge_to(caller.name.clone()),
        records: PhantomData,
    };
    let begun = under_way.hold(page)?;
    let rest = stream::try_unfold(under_way, |mut under_way| async move {
        let bytes = match under_way.next.take() {
            Some(cursor) => under_way.page(cursor).await,
            None => match under_way.close.take() {
                Some(close) => Ok(close.into()),
                None => return Ok(None),
            },
        };
        match bytes {
            Ok(bytes) => Ok(Some((bytes, under_way))),
            Err(error) => {
                let detail = error.problem().detail;
                tracing::error!("a list was cut off: {detail}");
                Err(io::Error::other(detail))
            }
        }
    });
    let body = stream::once(async { Ok(begun) }).chain(rest);
    Ok(Answer::streamed(body))
}

/// Answers with one page of a list: a bare array of the records that `fill` appends. Where more follow it returns the query that asks
/// for them, which a header names (RFC 8288), relative to what was asked.
pub(super) async fn one_page<T, F>(
    state: &web::Data<State>,
    caller: &Caller,
    fill: F,
) -> Result<Answer<Vec<T>>, ApiError>
where
    T: Serialize + 'static,
    F: FnOnce(&State, &mut Page<T>) -> Result<Option<String>, Error> + Send + 'static,
{
    let work = move |state: &State| {
        let mut page = Page::new(vec![b'['], false);
        let next = fill(state, &mut page)?;
        let mut json = page.written()?;
        json.push(b']');
        Ok::<_, Error>((next, json))
    };
    let (next, json) = heavy(state, caller, work).await?;
    let answer = Answer::written(json);
    let Some(query) = next else { return Ok(answer) };
    let link = HeaderValue::try_from(format!("<?{query}>; rel=\"next\"")).expect("a query is encoded");
    Ok(answer.with_header(LINK, link))
}

impl<T, C, F> UnderWay<T, C, F>
where
    T: Serialize + 'static,
    C: Send + 'static,
    F: Fn(&State, C, &mut Page<T>) -> Result<Option<C>, Error> + Send + Sync + 'static,
{
    async fn page(&mut self, cursor: C) -> Result<Bytes, ApiError> {
        let turn = self.state.heavy.turn().await?;
        let (state, fill) = (self.state.clone(), self.fill.clone());
        let (next, page) = blocking(move || {
            let _turn = turn;
            let mut page = Page::new(Vec::new(), true);
            let next = fill(&state, cursor, &mut page)?;
            Ok::<_, Error>((next, page.written()?))
        })
        .await?;
        self.next = next;
        self.hold(page)
    }

    /// Counts the page that waits now, in the place of the one before.
    fn hold(&mut self, page: Vec<u8>) -> Result<Bytes, ApiError> {
        self.charge.hold(page.len().min(self.state.answers.most())).map_err(|_| {
            ApiError::busy("answers that others are slow to read fill the memory that there is for them; try again in a few seconds")
        })?;
        Ok(page.into())
    }
}
