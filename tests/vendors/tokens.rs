//! `gqldump token` against the stand-ins as they are served: what their desks make, list and end.

use fs_err as fs;
use gqldump::demo::{DemoConfig, DemoServer};
use secrecy::ExposeSecret as _;

use crate::program::{Ended, run};
use crate::project::{Project, TOKEN_VARIABLE};
use crate::tracker::serve;

/// A stand-in that is served, and a source that speaks to it.
struct Served {
    server: DemoServer,
    project: Project,
}

impl Served {
    fn new(name: &str) -> Self {
        let mut config = DemoConfig::named(name).expect("the stand-in");
        config.rows_scale = 0.003;
        // Whoever types commands does not send three a second.
        config.behaviours.limits.clear();
        let server = serve(config);
        let address = server.address();
        let settings =
            format!("preset = '{name}'\nendpoint = '{address}'\n[auth]\ntoken = {{ env = '{TOKEN_VARIABLE}' }}\n");
        let project = Project::new(&settings);
        Self { server, project }
    }

    /// `gqldump token` with the token that the server began with.
    fn token(&self, arguments: &[&str]) -> Ended {
        self.token_as(self.server.token().expose_secret(), arguments)
    }

    fn token_as(&self, token: &str, arguments: &[&str]) -> Ended {
        let mut command = self.project.gqldump(&["token"]);
        let ended = run(command.args(arguments).env(TOKEN_VARIABLE, token));
        assert!(!ended.stderr.contains(token), "{}", ended.stderr);
        ended
    }

    /// The first column of `token list`.
    fn ids(&self, token: &str) -> Vec<String> {
        let listed = self.token_as(token, &["list"]).with_code(0).stdout;
        let ids = listed.lines().skip(1).filter_map(|line| line.split('\t').next());
        ids.map(str::to_owned).collect()
    }

    fn made_in(&self, file: &str) -> String {
        let token = fs::read_to_string(self.project.folder().join(file)).expect("a token");
        token.trim_end().to_owned()
    }
}

#[test]
fn fluid_attacks_has_two_tokens_at_most_which_end_and_replace_each_other() {
    let served = Served::new("fluidattacks");
    let first = served.server.token().expose_secret().to_owned();
    let told = served.token(&["status"]).with_code(0).stdout;
    assert!(told.contains("accepted, of ada@example.com"), "{told}");
    assert_eq!(served.ids(&first).len(), 1);

    served
        .token(&["create", "--expires=180d", "--name=nightly", "--to=made.txt"])
        .with_code(0);
    let made = served.made_in("made.txt");
    let told = served.token_as(&made, &["status"]).with_code(0).stdout;
    assert!(
        told.contains("the token ends at 20") && told.contains("accepted"),
        "{told}"
    );
    assert!(told.contains("; the API says: sessionExpiration 2027-"), "{told}");
    let listed = served.token(&["list"]).with_code(0).stdout;
    let nightly = listed.lines().find(|line| line.contains("\tnightly\t"));
    let issued = nightly.and_then(|line| line.split('\t').nth(2)).expect("a moment");
    assert!(issued.parse::<jiff::Timestamp>().is_ok(), "{listed}");

    let full = served.token(&["create", "--expires=180d"]).with_code(2);
    assert!(full.stderr.contains("there are 2 tokens"), "{}", full.stderr);
    let ids = served.ids(&first);
    served.token(&["revoke", &ids[1]]).with_code(0);
    served.token_as(&made, &["status"]).with_code(4);
    served.token(&["revoke", &ids[1]]).with_code(1);
    assert_eq!(served.ids(&first), ids[..1]);

    let printed = served
        .token(&["create", "--expires=30d", "--replace", "--to=-"])
        .with_code(0);
    // It goes to the pipe and to no file of that name; the one before has ended.
    assert!(!served.project.folder().join("-").exists());
    let second = printed.stdout.trim_end();
    served.token(&["status"]).with_code(4);
    let create = ["create", "--expires=30d", "--replace"];
    let named = served
        .token_as(second, &[&create[..], &["--name=zzz"]].concat())
        .with_code(2);
    assert!(named.stderr.contains("leave out `--name`"), "{}", named.stderr);
    let nowhere = served
        .token_as(second, &[&create[..], &["--to=nowhere/x"]].concat())
        .with_code(2);
    assert!(
        nowhere.stderr.contains("there is no folder `nowhere`"),
        "{}",
        nowhere.stderr
    );
    served
        .token_as(second, &[&create[..], &["--to=other.txt"]].concat())
        .with_code(0);
    served.token_as(second, &["status"]).with_code(4);
    assert_eq!(served.ids(&served.made_in("other.txt")).len(), 1);
}

#[test]
fn fibery_has_three_tokens_at_most_which_do_not_end() {
    let served = Served::new("fibery");
    let first = served.server.token().expose_secret().to_owned();
    assert_eq!(served.ids(&first).len(), 1);
    for file in ["one.txt", "two.txt"] {
        served.token(&["create", "--to", file]).with_code(0);
    }
    let told = served
        .token_as(&served.made_in("two.txt"), &["status"])
        .with_code(0)
        .stdout;
    assert!(told.contains("accepted; its owner has 3 tokens"), "{told}");
    served.token(&["create"]).with_code(2);
    let ids = served.ids(&first);
    served.token(&["revoke", &ids[2]]).with_code(0);
    served.token_as(&served.made_in("two.txt"), &["status"]).with_code(4);
    served.token(&["revoke", &ids[2]]).with_code(1);
    assert_eq!(served.ids(&served.made_in("one.txt")), ids[..2]);
}

#[test]
fn conviso_shows_that_a_key_is_accepted() {
    let served = Served::new("conviso");
    let told = served.token(&["status"]).with_code(0).stdout;
    assert!(told.ends_with(": accepted\n"), "{told}");
    served.token_as("of-nobody", &["status"]).with_code(4);
}
