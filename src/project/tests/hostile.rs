//! Settings that nobody should write: each becomes settings or an error that shows its place.

use super::*;
use crate::mutation::fuzz;

const EXAMPLE: &str = include_str!("../source.example.toml");

const SMALL: [&str; 3] = [
    "endpoint = 'https://api.example.com/graphql'\nschema = 'introspect'\n[limits]\nrequests = [{ max = 100, per = '1m' }]\nconcurrency = 16\npage_size = 400\nresponse_bytes = '64 MiB'\narrival_margin = '20ms'\n[limits.query]\ncharacters = 3000\ndepth = 8\ncomplexity = 400\n[timing]\ntarget = '10s'\ntimeout = '60s'\n",
    "preset = 'fluidattacks'\n[auth]\nheader = 'Authorization'\nscheme = 'Bearer'\ntoken = { command = ['vault', 'read'] }\n[retry]\nattempts = 10\ngrowth = 'linear'\ninitial_wait = '1s'\n[scalars]\nDateTime = 'timestamp'\nPrice = 'decimal(10, 2)'\n[headers]\nX-Api = 'v1'\n",
    "preset = 'github'\nflatten = true\non_denied = 'stop'\n[[verdicts]]\nverdict = 'throttled'\nstatus = 403\nmessage = 'slow (down|up)+$'\n[[verdicts]]\nverdict = 'too_big'\ncode = 'TIMEOUT'\n[[paging]]\ntype = 'Query'\nfield = 'rows'\nstyle = 'page'\npage_argument = 'pagination.page'\nfirst_page = 1\nitems = 'collection'\n",
];

fn read_lossy(text: &[u8]) -> Result<SourceSettings, Diagnostic> {
    read(&String::from_utf8_lossy(text), &[])
}

#[test]
fn no_settings_make_the_loader_panic() {
    for text in SMALL {
        settings(text, &[]);
    }
    fuzz(&SMALL, 3000, |text| {
        if let Err(error) = read_lossy(text) {
            assert!(error.to_string().lines().count() < 60, "{error}");
        }
    });
    fuzz(&[EXAMPLE], 100, |text| {
        drop(read_lossy(text).map_err(|error| error.to_string()));
    });
}

#[test]
fn no_override_makes_the_loader_panic() {
    let overrides = [
        "limits.page_size=10",
        "auth.token.env=TOKEN",
        "limits.requests=[{max=3,per='1s'}]",
    ];
    fuzz(&overrides, 3000, |text| {
        let text = String::from_utf8_lossy(text);
        if let Ok(one) = text.parse::<KeyOverride>() {
            let file = Document {
                name: "source.toml".to_owned(),
                text: "endpoint = 'https://api.example.com/'".to_owned(),
            };
            let settled = Layers::read(file, &[one]).and_then(|layers| settle(&layers, Path::new("queries/x")));
            drop(settled.map_err(|error| error.to_string()));
        }
    });
}

#[test]
fn settings_nested_without_end_are_refused() {
    for text in [
        format!("scalars = {}1{}", "{ a = ".repeat(50_000), "}".repeat(50_000)),
        format!("limits.requests = {}{}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("[{}]", vec!["a"; 50_000].join(".")),
        format!("{} = 1", vec!["a"; 50_000].join(".")),
    ] {
        assert!(read(&text, &[]).is_err());
    }
}
