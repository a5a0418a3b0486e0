//! What commands do with numbers and folders that they are given.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use lglp_tests::plugins::{compile, plugins_of};
use lglp_tests::{HARDWARE, Registry, root};

#[test]
fn numbers_that_ask_for_nothing_are_refused() {
    let registry = Registry::default();
    registry.import(30);
    let measure = ["measure", "--hardware", "box", "--space", "mobilenetv3", "--count", "0"];
    let seeds = ["train", "--hardware", HARDWARE, "--recipe", "linear", "--seeds", "0"];
    for (arguments, option) in [
        (&measure[..], "--count"),
        (&seeds[..], "--seeds"),
        (&["serve", "--queue-depth", "0"], "--queue-depth"),
        (&["serve", "--job-queue", "0"], "--job-queue"),
    ] {
        let said = registry.fails(arguments);
        assert!(said.contains(option) && said.contains('1'), "{said}");
    }
}

/// All draws were made and held before the first was printed.
#[test]
fn samples_come_as_they_are_drawn() {
    let registry = Registry::default();
    let mut command = registry.command(&["sample", "--space", "mobilenetv3", "--count", "1000000000000"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program runs");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let drawn: Vec<String> = lines.take(5).map(|line| line.expect("a line")).collect();
    child.kill().expect("it goes on");
    child.wait().expect("it ended");
    let few = registry.ok(&["sample", "--space", "mobilenetv3", "--count", "5"]);
    assert_eq!(few.lines().collect::<Vec<_>>(), drawn, "and are the same as of a few");
}

/// A filter with a slip of the pen was ignored: whoever looked for a fault waited for lines that never came.
#[test]
fn a_log_that_cannot_be_meant_is_refused() {
    let registry = Registry::default();
    let mut command = registry.command(&["serve", "--bind", "127.0.0.1:0"]);
    let output = command.env("LGLP_LOG", "lglp=loud").output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("LGLP_LOG is `lglp=loud`"),
        "{said}"
    );
}

/// Commands showed the folders that they stood in, while the server predicted with others.
#[test]
fn spaces_and_plugins_are_those_of_the_server() {
    let mut registry = Registry::default();
    let spaces = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&spaces).expect("a folder");
    let known = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let own = known.replacen("name = \"mobilenetv3\"", "name = \"of-the-server\"", 1);
    std::fs::write(spaces.join("own.toml"), own).expect("a file");
    let folder = plugins_of(&registry);
    let example = std::fs::read_to_string(root().join("sdk/examples/encoder.c")).expect("the example");
    compile(&example, &folder.join("encoder_in_c.so"));
    registry.plugins = Some(folder);
    let server = registry.serve_with(&["--spaces", spaces.to_str().expect("UTF-8")]);
    registry.plugins = None;
    let listed = registry.ok(&["spaces"]);
    assert!(
        listed.contains("of-the-server") && !listed.contains("ofa-mobilenetv3"),
        "{listed}"
    );
    let drawn = registry.ok(&["sample", "--space", "of-the-server"]);
    assert!(drawn.starts_with("of-the-server@"), "{drawn}");
    assert!(registry.ok(&["network", drawn.trim()]).contains("multiply-accumulates"));
    let plugins = registry.ok(&["plugins"]);
    assert!(
        plugins.contains("choices") && plugins.contains(&server.base),
        "{plugins}"
    );
    drop(server);
    assert!(!registry.ok(&["spaces"]).contains("of-the-server"));
}
