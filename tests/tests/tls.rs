//! TLS: a server with a certificate from files, and the commands that talk to it.

use std::path::Path;

use lglp_tests::Registry;

/// Writes a self-signed certificate and its key; their files.
fn self_signed(folder: &Path, name: &str, subjects: &[&str]) -> (String, String) {
    let subjects: Vec<String> = subjects.iter().map(|s| (*s).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(subjects).expect("a certificate");
    let write = |suffix: &str, text: String| {
        let file = folder.join(format!("{name}{suffix}"));
        std::fs::write(&file, text).expect("a file");
        file.to_str().expect("UTF-8").to_owned()
    };
    (
        write(".pem", made.cert.pem()),
        write("-key.pem", made.signing_key.serialize_pem()),
    )
}

#[test]
fn tls_by_files() {
    let registry = Registry::default();
    let folder = registry.folder.path();
    let admin = registry.token("ann", "admin", &[]);
    let (certificate, key) = self_signed(folder, "server", &["127.0.0.1", "localhost"]);
    let (other, other_key) = self_signed(folder, "other", &["127.0.0.1"]);
    let agent = lglp_tests::agent(Some(Path::new(&certificate)));
    let server = registry.serve_at("127.0.0.1:0", &["--tls-cert", &certificate, "--tls-key", &key], agent);
    assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
    assert_eq!(server.call_as(&admin, "GET", "/v1/plugins", None).0, 200);
    let command = |arguments: &[&str], ca: Option<&str>| {
        let mut command = registry.command(arguments);
        command.env("LGLP_TOKEN", &admin);
        if let Some(file) = ca {
            command.env("LGLP_CA", file);
        }
        let ran = command.output().expect("it runs");
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    assert_eq!(command(&["hardware"], Some(&certificate)), (true, String::new()));
    assert_eq!(
        command(&["hardware", "--ca", &certificate], None),
        (true, String::new())
    );
    for (ca, text) in [
        (None, "LGLP_CA"),
        (Some(other.as_str()), "LGLP_CA"),
        (Some(&key), "holds no certificate"),
    ] {
        let (succeeded, said) = command(&["hardware"], ca);
        assert!(!succeeded && said.contains(text), "{ca:?}: {said}");
    }
    // Who speaks plain HTTP to it gets nothing.
    let plain = server.base.replace("https", "http");
    let (succeeded, said) = command(&["hardware", "--server", &plain], None);
    assert!(!succeeded, "{said}");
    drop(server);

    let nothing = folder.join("nothing.pem");
    let nothing = nothing.to_str().expect("UTF-8");
    for (arguments, text) in [
        (vec!["--tls-cert", &certificate], "--tls-key"),
        (vec!["--tls-key", &key], "--tls-cert"),
        (vec!["--tls-cert", nothing, "--tls-key", &key], "cannot read"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "holds no certificate"),
        (
            vec!["--tls-cert", &certificate, "--tls-key", &certificate],
            "holds no private key",
        ),
        (
            vec!["--tls-cert", &certificate, "--tls-key", &other_key],
            "is not that of the first certificate",
        ),
    ] {
        let said = registry.fails(&[vec!["serve", "--bind", "127.0.0.1:0"], arguments.clone()].concat());
        assert!(said.contains(text), "{arguments:?}: {said}");
    }
}
