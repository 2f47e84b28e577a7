//! As much reading of HTML as the tests need: tags with their attributes, and visible text.

use std::collections::HashMap;

/// A start tag's attributes, their entities resolved.
pub(super) type Attributes = HashMap<String, String>;

/// The page without its templates, which only scripts ever show.
pub(super) fn shown(html: &str) -> String {
    let mut pieces = html.split("<template");
    let before = pieces.next().unwrap_or_default().to_owned();
    let after = pieces.filter_map(|piece| Some(piece.split_once("</template>")?.1));
    before + &after.collect::<String>()
}

/// Every start tag of this name. Values in double quotes, as our templates write them.
pub(super) fn tags(html: &str, name: &str) -> Vec<Attributes> {
    let open = format!("<{name}");
    let starts = html
        .match_indices(&open)
        .map(|(at, _)| &html[at + open.len()..]);
    starts
        .filter(|rest| rest.starts_with([' ', '>', '\n', '/']))
        .map(attributes)
        .collect()
}

/// The value of the input with this name.
pub(super) fn input(html: &str, name: &str) -> Option<String> {
    let inputs = tags(html, "input").into_iter();
    let mut named = inputs.filter(|input| input.get("name").is_some_and(|found| found == name));
    Some(named.next()?.get("value").cloned().unwrap_or_default())
}

/// The CSRF token of a page.
pub(super) fn csrf_token(html: &str) -> Option<String> {
    let metas = tags(html, "meta").into_iter();
    let mut tokens = metas.filter(|meta| meta.get("name").is_some_and(|name| name == "csrf-token"));
    tokens
        .next()?
        .get("content")
        .filter(|token| !token.is_empty())
        .cloned()
}

/// What stands inside the first element whose start tag contains this text.
pub(super) fn inside<'h>(html: &'h str, start: &str, end: &str) -> Option<&'h str> {
    let (_, rest) = html.split_once(start)?;
    let (_, rest) = rest.split_once('>')?;
    Some(rest.split_once(end)?.0.trim())
}

fn attributes(mut rest: &str) -> Attributes {
    let mut found = Attributes::new();
    loop {
        rest = rest.trim_start();
        let Some(end) = rest.find(['=', '>', ' ', '\n']) else {
            return found;
        };
        let (name, after) = rest.split_at(end);
        if let Some(value) = after.strip_prefix("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            found.insert(name.to_owned(), unescaped(value));
            rest = after;
        } else if after.starts_with('>') {
            found.insert(name.to_owned(), String::new());
            return found;
        } else {
            found.insert(name.to_owned(), String::new());
            rest = &after[1..];
        }
    }
}

/// The five entities that an escaping template engine writes.
pub(super) fn unescaped(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2F;", "/"),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}
