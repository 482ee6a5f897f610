//! A dial that is not answered is begun anew beside what was begun before.
//!
//! A circuit can wait for an answer that never comes. Seen with relays of tor 0.4.9.11: every 11 s a relay ends the
//! circuits that are idle, and takes those of a connection on which it has sent no cell yet for idle since 1970; of the
//! ends of several circuits it then sends the first only. So circuits that a client asks for right after it has
//! connected to its guard may be forgotten. Arti 0.47 waits for one as long as a circuit may take, which is 60 s until
//! it has built a hundred. Once it has seen one of the ends it leaves the guard alone for half a minute, so that an
//! attempt that shares no circuit with the one before goes another way.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, interval_at};

/// Attempts of one dial.
const ATTEMPTS: u32 = 3;
/// The least time for an attempt alone: an onion service on the public network takes some seconds.
const ALONE: Duration = Duration::from_secs(10);

/// How long an attempt is alone, if the dial may take `limit`.
pub(crate) fn pause(limit: Duration) -> Duration {
    ALONE.max(limit / ATTEMPTS)
}

/// Runs `attempt(0)`; after each `pause` without an answer another one beside it, three in all. The first answer
/// counts. An error is one if it `settles` the matter, or if no other attempt is under way.
///
/// It has no end of its own: drop it at the deadline.
pub(crate) async fn first_answer<T, E, F>(
    pause: Duration,
    mut attempt: impl FnMut(u32) -> F,
    settles: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut running = FuturesUnordered::from_iter([attempt(0)]);
    let mut begun = 1;
    let mut again = interval_at(Instant::now() + pause, pause);
    loop {
        tokio::select! {
            Some(answer) = running.next() => match answer {
                Err(error) if !settles(&error) && !running.is_empty() => {}
                answer => return answer,
            },
            _ = again.tick(), if begun < ATTEMPTS => {
                running.push(attempt(begun));
                begun += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::pending;
    use tokio::time::{sleep, timeout};

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    /// What an attempt does: after how long it says what, or nothing.
    type Script = [Option<(Duration, Result<u32, &'static str>)>; 3];

    /// What comes of it, and how many attempts were begun.
    async fn play(pause: Duration, script: Script) -> (Option<Result<u32, &'static str>>, u32) {
        let begun = Cell::new(0);
        let attempt = |n: u32| {
            begun.set(n + 1);
            let step = script[n as usize];
            async move {
                match step {
                    Some((after, answer)) => {
                        sleep(after).await;
                        answer
                    }
                    None => pending().await,
                }
            }
        };
        let answer = timeout(SHORT * 10, first_answer(pause, attempt, |error| *error == "refused")).await;
        (answer.ok(), begun.get())
    }

    #[test]
    fn short_dials_have_one_attempt() {
        let s = Duration::from_secs;
        for (limit, want) in [(5, 10), (20, 10), (30, 10), (60, 20), (120, 40)] {
            assert_eq!(pause(s(limit)), s(want), "{limit}");
        }
    }

    #[tokio::test]
    async fn one_that_answers_stays_alone() {
        assert_eq!(play(LONG, [Some((SHORT, Ok(1))), None, None]).await, (Some(Ok(1)), 1));
        assert_eq!(play(LONG, [Some((SHORT, Err("not found"))), None, None]).await, (Some(Err("not found")), 1));
    }

    #[tokio::test]
    async fn one_that_is_silent_is_overtaken() {
        let now = Duration::ZERO;
        assert_eq!(play(SHORT, [None, Some((now, Ok(2))), None]).await, (Some(Ok(2)), 2));
        assert_eq!(play(SHORT, [None, None, Some((now, Ok(3)))]).await, (Some(Ok(3)), 3));
        assert_eq!(play(SHORT, [None, None, None]).await, (None, 3));
    }

    #[tokio::test]
    async fn one_that_is_slow_still_counts() {
        assert_eq!(play(SHORT, [Some((SHORT * 3 / 2, Ok(1))), None, None]).await, (Some(Ok(1)), 2));
    }

    #[tokio::test]
    async fn an_error_counts_when_it_is_the_services_or_the_last() {
        let now = Duration::ZERO;
        let slow = Some((SHORT * 3, Ok(1)));
        assert_eq!(play(SHORT, [slow, Some((now, Err("refused"))), None]).await, (Some(Err("refused")), 2));
        assert_eq!(play(SHORT, [slow, Some((now, Err("not found"))), None]).await.0, Some(Ok(1)));
        let late = Some((SHORT * 3 / 2, Err("first")));
        assert_eq!(play(SHORT, [late, Some((now, Err("second"))), None]).await, (Some(Err("first")), 2));
    }
}
