//! Reading the settings: `[<profile>.vault]` of `Rocket.toml`, overridden by the environment. An
//! unknown key or a value that is not allowed stops the start with a sentence that names it.

use std::fmt;

use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Value};

use super::Config;
use super::settings::{SETTINGS, Setting, defaults};

const PREFIX: &str = "IMAGE_VAULT_";
/// Variables of our own test scripts, which share the prefix.
const TEST_PREFIX: &str = "IMAGE_VAULT_TEST_";

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// `Rocket.toml`.
    File,
    /// An environment variable.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "Rocket.toml",
            Self::Environment => "environment",
        })
    }
}

/// A setting with the text that decides it.
pub struct Explained {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value as text; `(set, not shown)` for a secret that is set.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// The configuration, and where each part of it came from.
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// A line for each setting, in the order of the table.
    pub explained: Vec<Explained>,
}

/// What is wrong with the configuration, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key that does not exist.
    #[error("unknown setting `{0}`: the settings are listed by `image-vault config explain`")]
    UnknownKey(String),
    /// A value that is not allowed. The value of a secret is not repeated.
    #[error("`{key}` ({origin}) is set to {value}, which is not allowed: it must be {allowed}")]
    BadValue {
        /// The key or variable.
        key: String,
        /// Where the value came from.
        origin: Origin,
        /// The value in quotes, or a note that it is not shown.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The file cannot be read.
    #[error("Rocket.toml cannot be read: {0}")]
    File(#[from] Box<figment::Error>),
}

/// Reads the settings from `Rocket.toml` (or the file `ROCKET_CONFIG` names) and the process's
/// environment.
///
/// # Errors
/// On the first key or value that is wrong.
pub fn load() -> Result<Loaded, ConfigError> {
    let file = Figment::from(
        Toml::file(std::env::var("ROCKET_CONFIG").unwrap_or_else(|_| "Rocket.toml".into()))
            .nested(),
    );
    let profile = std::env::var("ROCKET_PROFILE").unwrap_or_else(|_| {
        if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
        .into()
    });
    let vault = match file.select(profile).find_value("vault") {
        Ok(Value::Dict(_, dict)) => dict,
        Ok(_) => return Err(ConfigError::UnknownKey("vault".into())),
        Err(error) if error.missing() => Dict::new(),
        Err(error) => return Err(Box::new(error).into()),
    };
    let environment = std::env::vars_os().filter_map(|(key, value)| {
        Some((
            key.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    });
    resolve(&vault, environment)
}

fn resolve(
    file: &Dict,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let environment: Vec<_> = environment
        .filter(|(key, _)| key.starts_with(PREFIX) && !key.starts_with(TEST_PREFIX))
        .collect();
    let known_variables: Vec<_> = SETTINGS.iter().map(Setting::variable).collect();
    let unknown_key = file
        .keys()
        .find(|key| SETTINGS.iter().all(|s| s.key != *key));
    let unknown_variable = environment
        .iter()
        .map(|(key, _)| key)
        .find(|key| !known_variables.contains(key));
    if let Some(key) = unknown_key.or(unknown_variable) {
        return Err(ConfigError::UnknownKey(key.clone()));
    }
    let mut config = defaults();
    let explained = SETTINGS
        .iter()
        .zip(known_variables)
        .map(|(setting, variable)| {
            let from_environment = environment.iter().find(|(key, _)| *key == variable);
            let (text, origin) = match (from_environment, file.get(setting.key)) {
                (Some((_, text)), _) => (text.clone(), Origin::Environment),
                (None, Some(value)) => (plain(value), Origin::File),
                (None, None) => (setting.default.to_owned(), Origin::Default),
            };
            let hidden = setting.secret && origin != Origin::Default && !text.is_empty();
            let shown = if hidden {
                "(set, not shown)".into()
            } else {
                text.clone()
            };
            if (setting.set)(&mut config, text.trim()).is_none() {
                let key = if origin == Origin::File {
                    setting.key.into()
                } else {
                    variable
                };
                let value = if hidden {
                    "something".into()
                } else {
                    format!("`{shown}`")
                };
                return Err(ConfigError::BadValue {
                    key,
                    origin,
                    value,
                    allowed: setting.allowed,
                });
            }
            Ok(Explained {
                setting,
                value: shown,
                origin,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Loaded { config, explained })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Num(_, number) => number
            .to_i128()
            .map_or_else(|| String::from("a fraction"), |n| n.to_string()),
        Value::Bool(_, flag) => flag.to_string(),
        _ => String::from("a list or table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        pairs.into_iter()
    }

    fn message(file: &Dict, pairs: &[(&str, &str)]) -> String {
        resolve(file, environment(pairs)).err().unwrap().to_string()
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let file = Dict::from([("max_megapixels".into(), Value::from(50))]);
        let loaded = resolve(&file, environment(&[])).ok().unwrap();
        assert_eq!(loaded.config.uploads.max_pixels, 50_000_000);
        let loaded = resolve(&file, environment(&[("IMAGE_VAULT_MAX_MEGAPIXELS", "7")]))
            .ok()
            .unwrap();
        assert_eq!(loaded.config.uploads.max_pixels, 7_000_000);
        let line = loaded
            .explained
            .iter()
            .find(|e| e.setting.key == "max_megapixels")
            .unwrap();
        assert_eq!(
            (line.value.as_str(), line.origin),
            ("7", Origin::Environment)
        );
    }

    #[test]
    fn an_unknown_key_stops_the_start_and_is_named() {
        let file = Dict::from([("max_fiel".into(), Value::from("1 MiB"))]);
        assert!(message(&file, &[]).contains("max_fiel"));
        assert!(message(&Dict::new(), &[("IMAGE_VAULT_STROE", "x")]).contains("IMAGE_VAULT_STROE"));
    }

    #[test]
    fn a_wrong_value_says_what_is_allowed() {
        let text = message(&Dict::new(), &[("IMAGE_VAULT_MAX_FILE", "huge")]);
        assert!(
            text.contains("IMAGE_VAULT_MAX_FILE") && text.contains("`huge`"),
            "{text}"
        );
        assert!(text.contains("1 KiB to 2 GiB"), "{text}");
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let secret = [("IMAGE_VAULT_STORE", "mongo://user:hunter2@host")];
        assert!(!message(&Dict::new(), &secret).contains("hunter2"));
        let good = [("IMAGE_VAULT_STORE", "mongodb://user:hunter2@host")];
        let loaded = resolve(&Dict::new(), environment(&good)).ok().unwrap();
        assert!(
            loaded
                .explained
                .iter()
                .all(|line| !line.value.contains("hunter2"))
        );
    }
}
