//! The proxy that the environment puts before an endpoint: found out beforehand, since the client's errors do not tell
//! whether it was the proxy or the API that could not be reached.

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

/// Reads an environment variable.
type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// Variables of the environment, of which the first that is set counts.
const FOR_ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const FOR_HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const FOR_HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const FOR_NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy through which requests go, without its credentials: `proxy.example.com:3128`; `None` where they go straight to
/// the API. Fails, with the variable's name, where that holds what is no proxy: the client would pass over it in silence.
pub(super) fn proxy_before(url: &Url, lookup: Lookup<'_>) -> Result<Option<String>, String> {
    let own = if url.scheme() == "https" { FOR_HTTPS } else { FOR_HTTP };
    let exceptions = first_of(&FOR_NONE, lookup).map_or_else(String::new, |(_, value)| value);
    // What concerns this address alone is asked; it decides before what is for all.
    for names in [own, FOR_ALL] {
        let Some((name, value)) = first_of(&names, lookup) else {
            continue;
        };
        let matcher = Matcher::builder().all(value.clone()).build();
        let anywhere = "https://host.invalid/".parse().ok();
        if anywhere.and_then(|anywhere| matcher.intercept(&anywhere)).is_none() {
            return Err(format!(
                "the environment variable `{name}` holds no proxy: write http://host:port, or unset it"
            ));
        }
        let matcher = Matcher::builder().all(value).no(exceptions).build();
        let destination = url.as_str().parse().ok();
        let proxy = destination.and_then(|destination| matcher.intercept(&destination));
        return Ok(proxy.and_then(|proxy| {
            let (host, port) = (proxy.uri().host()?, proxy.uri().port_u16());
            Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
        }));
    }
    Ok(None)
}

/// The first variable that is set, and not to nothing.
fn first_of(names: &[&'static str], lookup: Lookup<'_>) -> Option<(&'static str, String)> {
    let set = names.iter().find_map(|name| Some((*name, lookup(name)?)));
    set.filter(|(_, value)| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let value = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        proxy_before(&url.parse().unwrap(), &value)
    }

    #[test]
    fn a_proxy_is_told_by_host_and_port_alone() {
        let secret = ("HTTPS_PROXY", "http://user:s3cret@proxy.acme.test:3128/x");
        let place = Ok(Some("proxy.acme.test:3128".to_owned()));
        assert_eq!(proxy("https://api.test/", &[secret]), place);
        assert_eq!(proxy("http://api.test/", &[secret]), Ok(None));
        assert_eq!(
            proxy("https://api.test/", &[secret, ("no_proxy", "api.test")]),
            Ok(None)
        );
        assert_eq!(proxy("https://api.test/", &[("all_proxy", secret.1)]), place);
        assert_eq!(
            proxy("https://api.test/", &[("HTTPS_PROXY", ""), ("ALL_PROXY", secret.1)]),
            place
        );
        assert_eq!(proxy("https://api.test/", &[]), Ok(None));
    }

    #[test]
    fn what_is_no_proxy_is_told_by_its_variable_and_not_shown() {
        for value in ["http://user:s3cret@", "ftp://s3cret", "s3cret proxy", "http://[s3cret"] {
            let error = proxy("https://api.test/", &[("https_proxy", value)]).unwrap_err();
            assert!(
                error.contains("`https_proxy`") && !error.contains("s3cret"),
                "{value}: {error}"
            );
        }
    }
}
