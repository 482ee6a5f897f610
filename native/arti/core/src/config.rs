//! Arti's configuration out of the user's TOML and the folder for its state.

use arti_client::TorClientConfig;
use toml::{Table, Value};
use tor_config::load::{ConfigResolveError, ConfigResolveOptions, resolve_return_results};
use tor_config::sources::MustRead;
use tor_config::{ConfigurationSource, ConfigurationSources};

use crate::errors::{Fault, causes};
use crate::storage::Storage;

/// Arti gives up a stream after 10 s, while the deadline is the caller's: see `Client::connect`.
const DEFAULTS: &str = r#"
[stream_timeouts]
connect_timeout = "10 minutes"
"#;

/// Sections that are not the user's to set, and why.
const RESERVED: [(&str, &str); 2] = [
    ("storage", "the state directory or the memory directory sets it"),
    ("bridges", "this build has no bridges, as their transports are programs that would be started"),
];

/// Reads `text`, and puts the state into `storage`.
pub(crate) fn resolve(text: &str, storage: &Storage) -> Result<TorClientConfig, Fault> {
    let user: Table = text.parse().map_err(|error| Fault::invalid_config(format_args!("not TOML: {error}")))?;
    for (key, reason) in RESERVED {
        if user.contains_key(key) {
            return Err(Fault::invalid_config(format_args!("`{key}` cannot be set: {reason}")));
        }
    }
    let mut sources = ConfigurationSources::new_empty();
    for part in [DEFAULTS, text, &storage_section(storage)?] {
        sources.push_source(ConfigurationSource::from_verbatim(part.to_owned()), MustRead::MustRead);
    }
    let tree = sources.load().map_err(|error| Fault::invalid_config(causes(&error)))?;
    let options = ConfigResolveOptions::default();
    let resolved = resolve_return_results::<TorClientConfig>(&tree, &options)
        .map_err(|error: ConfigResolveError| Fault::invalid_config(causes(&error)))?;
    match resolved.unrecognized.first().or(resolved.deprecated.first()) {
        Some(key) => Err(Fault::invalid_config(format_args!("Arti 0.47 has no key `{key}`"))),
        None => Ok(resolved.value),
    }
}

/// Paths are written literally: neither `~` nor `${…}` in them means anything.
fn storage_section(storage: &Storage) -> Result<String, Fault> {
    let folder = |name: &str| {
        let path = storage.path().join(name);
        let text = path.to_str().ok_or_else(|| Fault::invalid_config("the path of the state is not UTF-8"))?;
        Ok(Value::Table(Table::from_iter([("literal".to_owned(), Value::from(text))])))
    };
    let mut section = Table::new();
    section.insert("cache_dir".to_owned(), folder("cache")?);
    section.insert("state_dir".to_owned(), folder("state")?);
    if storage.forgets() {
        section.insert("keystore".to_owned(), "primary.kind = \"ephemeral\"".parse::<Table>().expect("valid").into());
    }
    Ok(Table::from_iter([("storage".to_owned(), Value::Table(section))]).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn kept() -> Storage {
        Storage::Kept(PathBuf::from("/nowhere/with ${HOME} and ~"))
    }

    #[test]
    fn nothing_is_a_configuration() {
        resolve("", &kept()).unwrap();
        resolve("[address_filter]\nallow_local_addrs = true", &kept()).unwrap();
    }

    #[test]
    fn faults_name_the_key_and_what_to_do() {
        for (text, want) in [
            ("[storage]\nstate_dir = \"/x\"", "`storage` cannot be set"),
            ("[[bridges.transports]]\nprotocols = [\"obfs4\"]\npath = \"/bin/true\"", "`bridges` cannot be set"),
            ("[address_filter]\nallow_lokal_addrs = true", "no key `address_filter.allow_lokal_addrs`"),
            ("[nonsense]\nx = 1", "no key `nonsense"),
            ("[address_filter]\nallow_local_addrs = 7", "allow_local_addrs"),
            ("= broken", "not TOML"),
        ] {
            let fault = resolve(text, &kept()).unwrap_err();
            assert_eq!(fault.code, "InvalidConfig");
            assert!(fault.message.contains(want), "{}", fault.message);
        }
    }
}
