//! Whatever a file is called, its name in an archive is one plain path component that every common
//! system can hold, a safe name stays as it is, and of many names no two are taken for one.
#![no_main]

use std::collections::HashSet;
use std::path::Path;

use image_vault::archive::{safe_name, unique_names};
use libfuzzer_sys::fuzz_target;

const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
const PORTS: &str = "0123456789¹²³";

fn assert_plain(name: &str) {
    assert!(
        (1..=240).contains(&name.len()),
        "{} bytes: {name:?}",
        name.len()
    );
    assert_eq!(
        Path::new(name).file_name().and_then(|file| file.to_str()),
        Some(name)
    );
    let forbidden = |c: char| c.is_control() || "<>:\"/\\|?*\u{2028}\u{202E}\u{200B}".contains(c);
    assert!(!name.contains(forbidden), "{name:?}");
    assert!(!name.ends_with(['.', ' ']), "{name:?}");

    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_uppercase();
    let numbered = |device: &str| {
        let number = stem
            .strip_prefix(device)?
            .strip_suffix(|c| PORTS.contains(c))?;
        Some(number.is_empty())
    };
    let is_port = ["COM", "LPT"]
        .iter()
        .any(|port| numbered(port) == Some(true));
    assert!(!DEVICES.contains(&stem.as_str()) && !is_port, "{name:?}");
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let safe = safe_name(&text);
    assert_plain(&safe);
    assert_eq!(safe_name(&safe), safe);

    let names = unique_names(text.split('\n'));
    assert_eq!(names.len(), text.split('\n').count());
    let mut seen = HashSet::new();
    for name in &names {
        assert_plain(name);
        assert!(
            seen.insert(name.to_lowercase()),
            "{name:?} twice in {names:?}"
        );
    }
});
