//! `image-vault config`: the settings, and the same as a table for the README.

use clap::Subcommand;

use crate::config::Loaded;
use crate::config::SETTINGS;
use crate::error::Fatal;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Every setting, its value, and where it came from.
    Explain,
    /// Every setting as a Markdown table, as the README has it.
    Table,
}

pub(super) fn run(loaded: &Loaded, command: Command) -> Result<(), Fatal> {
    match command {
        Command::Explain => explain(loaded),
        Command::Table => print!("{}", table()),
    }
    Ok(())
}

fn explain(loaded: &Loaded) {
    for line in &loaded.explained {
        let value = if line.value.is_empty() {
            "(empty)"
        } else {
            &line.value
        };
        println!("{} = {value}   [{}]", line.setting.key, line.origin);
        println!(
            "    {} Allowed: {}.",
            line.setting.about, line.setting.allowed
        );
        println!("    Environment: {}", line.setting.variable());
    }
    println!("Address, port and TLS are Rocket's own: ROCKET_ADDRESS, ROCKET_PORT, ROCKET_TLS.");
}

fn table() -> String {
    let mut text = String::from("| setting | default | allowed | what for |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let default = match setting.default {
            "" => "(empty)".to_owned(),
            value => format!("`{value}`"),
        };
        let line = format!(
            "| `{}` | {default} | {} | {} |\n",
            setting.key, setting.allowed, setting.about
        );
        text.push_str(&line);
    }
    text
}
