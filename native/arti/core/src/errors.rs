//! One error for everything: a stable code, and a message without addresses.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use arti_client::HasKind;
use tokio_util::sync::CancellationToken;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of Arti's `ErrorKind`, or one of this crate's own.
    pub code: Cow<'static, str>,
    /// One line for people, without addresses.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl fmt::Display) -> Self {
        Self { code: Cow::Borrowed(code), message: redact(&message.to_string(), None) }
    }

    /// The end of the client, the listener or the stream that was asked.
    pub(crate) fn closed() -> Self {
        Self::new("Closed", "it was closed here")
    }

    pub(crate) fn invalid_config(message: impl fmt::Display) -> Self {
        Self::new("InvalidConfig", message)
    }

    /// An error of Arti's; `host` is what was dialled, and is left out of the message wherever it stands.
    pub(crate) fn arti<E: HasKind + Error + 'static>(error: &E, host: Option<&str>) -> Self {
        Self { code: Cow::Owned(format!("{:?}", error.kind())), message: redact(&causes(error), host) }
    }

    /// An error of a stream, in which Arti wraps its own.
    pub(crate) fn stream(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<tor_proto::Error>()) {
            // Arti calls it a wrong use, as the stream is known to be gone by then.
            Some(tor_proto::Error::NotConnected) => {
                Self::new("RemoteStreamClosed", "the stream or its circuit has ended")
            }
            Some(inner) => Self::arti(inner, None),
            None => Self::new("LocalNetworkError", error),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for Fault {}

/// Runs `work` until it is done, or until `stop` is cancelled.
pub(crate) async fn unless<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Fault::closed()),
        result = work => result,
    }
}

/// The message with those of its causes, as far as they say more.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.contains(&line) {
            text.push_str(": ");
            text.push_str(&line);
        }
        cause = inner.source();
    }
    text
}

/// Takes out what is an address. Arti leaves most out by itself; this also holds for what it passes on.
pub(crate) fn redact(text: &str, host: Option<&str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| in_word(c) != in_word(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        if in_word(first) && is_address(run, host) {
            out.push_str("[address]");
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '_' | '[' | ']')
}

fn is_address(run: &str, host: Option<&str>) -> bool {
    let bare = run.trim_matches(['.', ':', '-']);
    if bare.to_ascii_lowercase().contains(".onion") {
        return true;
    }
    if let Some(host) = host
        && !host.is_empty()
        && (bare.eq_ignore_ascii_case(host) || name_of(bare).eq_ignore_ascii_case(host))
    {
        return true;
    }
    let parses = |text: &str| {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        inner.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
    };
    parses(run) || parses(run.trim_end_matches(['.', ':', '-'])) || parses(bare)
}

/// `name:port` without its port.
fn name_of(text: &str) -> &str {
    text.rsplit_once(':').map_or(text, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redact_takes_out_addresses() {
        for (text, host, want) in [
            ("no route to 192.0.2.7:443.", None, "no route to [address]."),
            ("no route to 192.0.2.7", None, "no route to [address]"),
            ("at ::1, or [2001:db8::7]:9001!", None, "at [address], or [address]!"),
            ("got http://abcdef.onion/x: gone", None, "got http[address]"),
            ("sub.ABC.Onion:80 is down", None, "[address] is down"),
            ("cannot resolve Example.test: timed out", Some("example.test"), "cannot resolve [address] timed out"),
            ("cannot resolve example.test:80", Some("example.test"), "cannot resolve [address]"),
        ] {
            let got = redact(text, host);
            assert!(!got.to_ascii_lowercase().contains("onion"), "{got}");
            assert!(!got.to_ascii_lowercase().contains("example"), "{got}");
            assert!(!got.contains("192.0") && !got.contains("2001") && !got.contains("::1"), "{got}");
            if !text.contains("http") {
                assert_eq!(got.trim_end_matches('.').replace("]:", "]"), want.trim_end_matches('.'), "{text}");
            }
        }
    }

    #[test]
    fn redact_leaves_other_words() {
        for text in ["33%: connecting to the internet; directory is fetching", "std::io::Error (os error 13)", "10.5 s"]
        {
            assert_eq!(redact(text, Some("")), text);
            assert_eq!(redact(text, Some("example.test")), text);
        }
    }

    #[test]
    fn a_cause_that_says_nothing_new_is_left_out() {
        let inner = io::Error::other("disk is full");
        let outer = io::Error::other(inner);
        assert_eq!(causes(&outer), "disk is full");
    }

    #[test]
    fn errors_of_streams_have_codes_that_tell_who_ended() {
        let gone = io::Error::from(tor_proto::Error::NotConnected);
        assert_eq!(Fault::stream(&gone).code, "RemoteStreamClosed");
        let collapsed = io::Error::from(tor_proto::Error::CircuitClosed);
        assert_eq!(Fault::stream(&collapsed).code, "CircuitCollapse");
        assert_eq!(Fault::stream(&io::Error::other("x")).code, "LocalNetworkError");
    }
}
