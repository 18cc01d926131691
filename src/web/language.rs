//! The languages of the panel. A catalogue is a TOML file that a speaker can read and mend.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A language that the panel speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::web) enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Key to text.
type Catalogue = HashMap<String, &'static str>;

static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| load(include_str!("i18n/en.toml")));
static CHINESE: LazyLock<Catalogue> = LazyLock::new(|| load(include_str!("i18n/zh.toml")));

impl Language {
    /// All there are, in the order of the menu.
    pub(in crate::web) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The tag for `lang` attributes, cookies and forms (RFC 5646).
    pub(in crate::web) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language's name in itself.
    pub(in crate::web) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
        }
    }

    /// The language of a tag such as `zh`, `zh-CN` or `en-GB`.
    pub(in crate::web) fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The best language for an `Accept-Language` header (RFC 9110 section 12.5.4).
    pub(in crate::web) fn accepted(header: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for range in header.split(',').take(20) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let quality = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
            if let Some(language) = Self::from_tag(tag.trim())
                && quality > best.0
            {
                best = (quality, language);
            }
        }
        best.1
    }

    /// A text; the key itself where the catalogue lacks it.
    pub(in crate::web) fn text(self, key: &str) -> &'static str {
        self.find(key).unwrap_or_else(|| {
            tracing::warn!(key, language = self.tag(), "a text is missing in the catalogue");
            "…"
        })
    }

    /// A text, where the catalogue has it.
    pub(in crate::web) fn find(self, key: &str) -> Option<&'static str> {
        self.catalogue().get(key).copied()
    }

    fn catalogue(self) -> &'static Catalogue {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

/// Reads a catalogue. A file that does not parse gives an empty one; a test keeps that from being released.
fn load(text: &'static str) -> Catalogue {
    let mut catalogue = Catalogue::new();
    match text.parse::<toml::Table>() {
        Ok(table) => flatten("", table, &mut catalogue),
        Err(error) => tracing::error!(%error, "a catalogue does not parse"),
    }
    catalogue
}

fn flatten(prefix: &str, table: toml::Table, into: &mut Catalogue) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, into),
            // The catalogue lives as long as the process, and is read once.
            toml::Value::String(text) => drop(into.insert(key, text.leak())),
            _ => tracing::error!(key, "a catalogue holds something other than text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn both_catalogues_have_the_same_keys_and_placeholders() {
        let keys = |catalogue: &Catalogue| catalogue.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&ENGLISH), keys(&CHINESE));
        assert!(!ENGLISH.is_empty());
        for (key, text) in ENGLISH.iter() {
            for placeholder in ["{0}", "{1}"] {
                assert_eq!(text.contains(placeholder), CHINESE[key].contains(placeholder), "{key} {placeholder}");
            }
        }
    }

    #[test]
    fn every_key_that_a_page_uses_is_in_the_catalogue() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let used = regex::Regex::new(r#"\b(?:t|t1|t2|count)\(\s*"([a-z0-9_.]+)""#).expect("a pattern");
        let mut seen = 0;
        for file in files(&root.join("templates")).into_iter().chain(files(&root.join("src/web"))) {
            let text = std::fs::read_to_string(&file).expect("a text file");
            for found in used.captures_iter(&text) {
                let (call, key) = (&found[0], &found[1]);
                let keys = if call.starts_with("count") {
                    vec![format!("{key}.one"), format!("{key}.other")]
                } else {
                    vec![key.to_owned()]
                };
                for key in keys {
                    assert!(ENGLISH.contains_key(&key), "{key} in {}", file.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 100, "the pattern no longer finds the keys");
        let portal = crate::web::portal::OF_USERS.iter().chain(&crate::web::portal::OF_ONE);
        for entry in crate::web::ui::NAVIGATION.iter().chain(portal) {
            assert!(ENGLISH.contains_key(entry.label), "{}", entry.label);
        }
    }

    #[test]
    fn no_text_is_left_over_and_every_notice_has_its_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let all: String = files(&root.join("templates"))
            .into_iter()
            .chain(files(&root.join("src/web")))
            .map(|file| std::fs::read_to_string(file).expect("a text file"))
            .collect();
        // Of families, such as the names of operators, only the beginning stands in the code.
        let family = regex::Regex::new(r#""([a-z_]+\.(?:[a-z_.]*[._])?)\{"#).expect("a pattern");
        let known = regex::Regex::new(r#"\.known\("([a-z_]+)""#).expect("a pattern");
        let families = family.captures_iter(&all).map(|found| found[1].to_owned());
        let families: Vec<_> = families.chain(known.captures_iter(&all).map(|found| format!("{}.", &found[1]))).collect();
        let is_unused = |key: &&String| {
            let used = key.trim_end_matches(".one").trim_end_matches(".other").trim_start_matches("done.");
            // Those of errors are looked up by the error's field or code.
            let is_of_error = used.starts_with("invalid.") || used.starts_with("conflict.");
            let is_of_family = families.iter().any(|family| key.trim_start_matches("done.").starts_with(family));
            !is_of_error && !is_of_family && !all.contains(&format!("\"{used}\"")) && !all.contains(&format!("done={used}"))
        };
        assert_eq!(ENGLISH.keys().filter(is_unused).collect::<Vec<_>>(), Vec::<&String>::new());
        let notices = regex::Regex::new(r#"render::done\([^;]*?"([a-z_]+)"\)"#).expect("a pattern");
        let found: Vec<_> = notices.captures_iter(&all).map(|found| format!("done.{}", &found[1])).collect();
        assert!(found.len() > 10, "the pattern no longer finds the notices");
        for key in found {
            assert!(ENGLISH.contains_key(&key), "{key}");
        }
    }

    fn files(folder: &Path) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                found.extend(files(&path));
            } else if path.extension().is_some_and(|e| e == "html" || e == "rs") {
                found.push(path);
            }
        }
        found
    }

    #[test]
    fn the_browser_s_wish_is_followed() {
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh;q=0.8", Language::English),
            ("fr-FR,fr;q=0.9,zh;q=0.2", Language::Chinese),
            ("fr", Language::English),
            ("zh;q=0", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header:?}");
        }
    }
}
