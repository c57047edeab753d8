//! The `source.toml` of a source that is begun.

use crate::project::layers::KeyOverride;

/// What is known of an API that was just named.
#[derive(Clone, Default)]
pub struct NewSource {
    /// The preset, where there is one for the API.
    pub preset: Option<String>,
    /// The API's address, where it was given.
    pub endpoint: Option<String>,
    /// Whether its schema is a file, as the API does not tell it.
    pub has_schema_file: bool,
    /// The environment variable that its token is looked for in, where no preset says so.
    pub token_variable: Option<String>,
    /// Whether that variable is set, so that the token is to be used.
    pub is_token_set: bool,
    /// Keys that were given.
    pub keys: Vec<KeyOverride>,
}

impl NewSource {
    /// The file's text, which says in comments what else can stand there.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# One API, and what gqldump must know of it. Every key stands in source.example.toml of gqldump.\n",
        );
        if let Some(preset) = &self.preset {
            text.push_str("# What is known of the API comes from this preset: header, limits, retries. A key here goes before it.\n");
            text.push_str(&format!("preset   = {}\n", quoted(preset)));
        }
        if let Some(endpoint) = &self.endpoint {
            text.push_str(&format!("endpoint = {}\n", quoted(endpoint)));
        }
        text.push_str(self.schema());
        for key in &self.keys {
            text.push_str(&format!("{}\n", key.line()));
        }
        if self.preset.is_none() {
            text.push_str(&self.unknown());
        }
        text
    }

    fn schema(&self) -> &'static str {
        match self.has_schema_file {
            true => "schema   = \"schema.graphql\"\n",
            false => {
                "# schema.graphql beside this file is for editors; the API is asked for its own once a day. To do without:\n\
                 # schema = \"schema.graphql\"\n"
            }
        }
    }

    /// What nobody knows of an API without a preset.
    fn unknown(&self) -> String {
        let token = self.token_variable.iter().map(|variable| {
            let off = if self.is_token_set { "" } else { "# " };
            format!(
                "\n# Where the token is found: an environment variable, {{ file = \"…\" }} or {{ command = [\"…\"] }}; never in this file.\n\
                 {off}[auth]\n\
                 {off}header = \"Authorization\"\n\
                 {off}scheme = \"Bearer\"\n\
                 {off}token  = {{ env = {} }}\n",
                quoted(variable)
            )
        });
        let token: String = token.collect();
        format!(
            "{token}\n\
             # What the API allows, as its documentation says it. Without this it is asked as fast as it answers.\n\
             # [limits]\n\
             # requests  = [{{ max = 100, per = \"1m\" }}]\n\
             # page_size = 100                 # rows asked for at once; as many as it allows\n\
             # query     = {{ depth = 10 }}      # also: characters, root_fields, aliases, complexity, nodes\n\
             \n\
             # What its own scalars become; one that is not named is kept as JSON text.\n\
             # [scalars]\n\
             # DateTime = \"timestamp\"\n"
        )
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_with_and_without_its_comments() {
        let keys = vec![
            "limits.page_size=7".parse().unwrap(),
            "auth.scheme=Token".parse().unwrap(),
        ];
        let new = NewSource {
            endpoint: Some("https://api.example.com/graphql?a=\"b\"".to_owned()),
            token_variable: Some("EXAMPLE_TOKEN".to_owned()),
            keys,
            ..NewSource::default()
        };
        let text = new.text();
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read["endpoint"].as_str(), new.endpoint.as_deref());
        assert_eq!(read["limits"]["page_size"].as_integer(), Some(7));
        assert_eq!(read["auth"]["scheme"].as_str(), Some("Token"));

        let plain = NewSource {
            keys: Vec::new(),
            ..new
        };
        let uncommented: String = plain.text().lines().filter_map(uncommented).collect();
        let read: toml::Table = uncommented.parse().unwrap();
        assert_eq!(read["auth"]["token"]["env"].as_str(), Some("EXAMPLE_TOKEN"));
        assert_eq!(read["limits"]["requests"][0]["max"].as_integer(), Some(100));
        assert_eq!(read["scalars"]["DateTime"].as_str(), Some("timestamp"));
    }

    /// A line of keys without its `#`; nothing of one with words.
    fn uncommented(line: &str) -> Option<String> {
        let bare = line.trim_start_matches("# ");
        let is_key = bare.starts_with('[') || bare.split_once(" =").is_some_and(|(key, _)| !key.trim().contains(' '));
        (is_key || !line.starts_with('#')).then(|| format!("{bare}\n"))
    }
}
