//! A memory budget for answers. Memory is set aside before an answer is made, within what there is
//! for all and for one payer, and stays so until the last byte was handed to the system: so a
//! client that asks and never reads takes nothing from the others, and its connection is given up
//! after `send_stall`.

use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::{Responder, Response};

use super::budgets::is_for_thumbnail;
use super::problem::Problem;
use super::server::Exchange;
use crate::config::Config;
use crate::vault::Caller;
use crate::vault::MemoryBudget;
use crate::vault::Payer;

/// One account, or the strangers of one site, have this part of the memory at most; all accounts at one
/// site have half of it together.
const PARTS: u32 = 4;
/// How long an answer waits for memory before its client is told to come again: 503.
const WAIT: Duration = Duration::from_secs(5);

/// Nothing is set aside for an answer of so many bytes to a client that is not signed in.
const SMALL: u64 = 64 << 10;
/// Memory to make a list or a page, of which there are hundreds of entries, or to open a plan.
const MAKING: u64 = 8 << 20;
/// Memory to read a thumbnail or a preview.
const MAKING_THUMBNAIL: u64 = 512 << 10;
/// Memory of a download: a window of pieces, those being made, and what the store reads ahead.
const STREAM: u64 = 3 << 19;
/// Pieces on their way to the system: one in hand, one that waits for the connection, and two there.
const ON_ITS_WAY: u64 = 4;
/// A piece of a download, and of another answer.
const DOWNLOAD_PIECE: u64 = 256 << 10;
const PIECE: u64 = 64 << 10;

/// The memory of answers.
pub(super) struct Answers {
    memory: MemoryBudget<Payer>,
}

impl Answers {
    /// From the configuration.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            memory: MemoryBudget::new(config.serving.answer_memory_bytes, PARTS),
        }
    }

    /// Sets memory aside for what this request asks for.
    ///
    /// # Errors
    /// 503 where too many answers wait for their readers.
    pub(super) async fn admit(&self, request: &Request<'_>, payer: &Payer) -> Result<(), Problem> {
        let exchange = Exchange::of(request);
        if exchange.memory().answer.is_some() {
            return Ok(());
        }
        let bytes = match request.method() {
            Method::Get if is_for_thumbnail(request) => MAKING_THUMBNAIL,
            Method::Get | Method::Head => MAKING,
            _ => SMALL,
        };
        let portion = match payer {
            // A change is bounded by the account's own part: somebody must be able to sign out, or
            // to revoke a token, whatever others at the same site hold.
            Payer::Account(_) if bytes > SMALL => {
                let site = site(request).await;
                self.memory
                    .reserve_together(payer, &site, bytes, WAIT)
                    .await
            }
            _ => self.memory.reserve(payer, bytes, WAIT).await,
        };
        exchange.memory().answer = Some(portion.ok_or_else(unread)?);
        Ok(())
    }

    /// Resizes the memory set aside to what the answer takes, and sets its `Content-Length`.
    async fn settle(
        &self,
        request: &Request<'_>,
        response: &mut Response<'_>,
    ) -> Result<(), Problem> {
        let exchange = Exchange::of(request);
        let bytes = match exchange.holds() {
            Some(holds) => STREAM + holds + ON_ITS_WAY * DOWNLOAD_PIECE,
            None => {
                let Some(len) = response.body_mut().size().await else {
                    return Ok(());
                };
                // In a 304 it would be the length of the body that is not sent (RFC 9110, section
                // 8.6).
                if response.status() != Status::NotModified {
                    response.set_raw_header("Content-Length", len.to_string());
                }
                let len = len as u64;
                len + len.min(ON_ITS_WAY * PIECE)
            }
        };
        if exchange.memory().answer.is_none() {
            if bytes <= 2 * SMALL {
                return Ok(());
            }
            let payer = site(request).await;
            self.admit(request, &payer).await?;
        }
        let is_change = !matches!(request.method(), Method::Get | Method::Head);
        let mut memory = exchange.memory();
        let fits = memory
            .answer
            .as_mut()
            .is_some_and(|answer| answer.resize(bytes));
        // A change that was made must not be answered as if it had failed. The memory of its
        // request's body is still set aside as well, which is more than its answer takes.
        match fits || is_change {
            true => Ok(()),
            false => Err(unread()),
        }
    }
}

/// The site that a request comes from.
async fn site(request: &Request<'_>) -> Payer {
    let caller = request.guard::<Caller>().await.succeeded();
    Payer::Site(caller.map(|caller| caller.site()).unwrap_or_default())
}

/// 503, since too many answers wait to be read.
fn unread() -> Problem {
    Problem::retry(
        "Too many answers wait for somebody to read them. Let your downloads end or cancel some, and \
         try again in a few seconds.",
    )
}

/// Settles the memory of each answer. Managed as well: guards call [`Answers::admit`].
pub(super) struct Settling;

#[rocket::async_trait]
impl Fairing for Settling {
    fn info(&self) -> Info {
        Info {
            name: "answers",
            kind: Kind::Response,
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(answers) = request.rocket().state::<Answers>() else {
            return;
        };
        if let Err(problem) = answers.settle(request, response).await {
            Exchange::of(request).send_nothing();
            match problem.respond_to(request) {
                Ok(instead) => *response = instead,
                Err(status) => *response = Response::build().status(status).finalize(),
            }
        }
    }
}
