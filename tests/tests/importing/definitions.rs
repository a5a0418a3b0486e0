//! Measurements and the definitions of spaces that they belong to.

use lglp_tests::{HARDWARE, Registry, root};

/// After a space's file was edited, training mixed labels of two different networks without a word.
#[test]
fn measurements_of_another_definition_of_a_space_are_not_mixed() {
    let registry = Registry::default();
    registry.import(60);
    let definition = registry.json(&["hardware"])[0]["name"].clone();
    assert_eq!(definition, HARDWARE);
    let spaces = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&spaces).expect("a folder");
    let own = std::fs::read_to_string(root().join("catalog/spaces/mobilenetv3.toml")).expect("a space");
    let write = |text: &str| std::fs::write(spaces.join("mobilenetv3.toml"), text).expect("a file");
    let with = |arguments: &[&str]| -> Vec<String> {
        let spaces = ["--spaces", spaces.to_str().expect("UTF-8")];
        arguments.iter().chain(&spaces).map(ToString::to_string).collect()
    };
    let run = |arguments: &[&str], ok: bool| -> String {
        let arguments = with(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if ok {
            registry.ok(&arguments)
        } else {
            registry.fails(&arguments)
        }
    };
    let train = ["train", "--hardware", HARDWARE, "--recipe", "linear"];
    // Another resolution to choose from: the texts that there are name what they named.
    write(&own.replacen("resolution = [160,", "resolution = [128, 160,", 1));
    run(&train, true);
    let edited = own.replacen("channels = [24, 32]", "channels = [24, 48]", 1);
    let edited = edited.replacen("channels = [32, 48]", "channels = [48, 48]", 1);
    assert_ne!(edited, own);
    write(&edited);
    let said = run(&train, false);
    assert!(
        said.contains("was defined otherwise") && said.contains("a name of its own"),
        "{said}"
    );
    let said = run(
        &[
            "measure",
            "--hardware",
            HARDWARE,
            "--space",
            "mobilenetv3",
            "--count",
            "5",
        ],
        false,
    );
    assert!(said.contains("was defined otherwise"), "{said}");
    // Rows that tell no definition are taken for ones of this one.
    let folder = registry.folder.path().join("dataset");
    let said = run(&["dataset", "import", folder.to_str().expect("UTF-8")], false);
    assert!(said.contains("space_definition"), "{said}");
    // An export says which definition its rows belong to, and is refused where the space is another one.
    let exported = registry.export(HARDWARE);
    let exported = exported.to_str().expect("UTF-8");
    let fresh = Registry::default();
    let spaces_argument = with(&["dataset", "import", exported]);
    let arguments: Vec<&str> = spaces_argument.iter().map(String::as_str).collect();
    let said = fresh.fails(&arguments);
    assert!(said.contains("is defined otherwise here"), "{said}");
    write(&own);
    run(&train, true);
}

/// `dataset export` and `import` left out spaces that they did not know, and ended well: data were lost in silence.
#[test]
fn spaces_that_are_not_known_here_are_exported_and_named_on_import() {
    let registry = Registry::default();
    registry.import(30);
    let elsewhere = registry.folder.path().join("spaces");
    std::fs::create_dir_all(&elsewhere).expect("a folder");
    std::fs::copy(
        root().join("catalog/spaces/ofa-mobilenetv3.toml"),
        elsewhere.join("ofa.toml"),
    )
    .expect("a space");
    let elsewhere = ["--spaces", elsewhere.to_str().expect("UTF-8")];
    let exported = registry.folder.path().join("exported");
    let folder = exported.to_str().expect("UTF-8").to_owned();
    let said = registry.ok(&[&["dataset", "export", "--hardware", HARDWARE, &folder][..], &elsewhere].concat());
    assert!(said.contains("mobilenetv3.jsonl: 30 measurements"), "{said}");
    let fresh = Registry::default();
    let said = fresh.fails(&[&["dataset", "import", &folder][..], &elsewhere].concat());
    assert!(
        said.contains("mobilenetv3.jsonl") && said.contains("no search space `mobilenetv3`"),
        "{said}"
    );
    assert!(fresh.ok(&["dataset", "import", &folder]).contains("30 of them new"));
    // What an import would take for a part of the export is not left beside it.
    std::fs::write(exported.join("nasbench.jsonl"), "").expect("a file");
    let said = registry.fails(&["dataset", "export", "--hardware", HARDWARE, &folder]);
    assert!(
        said.contains("nasbench.jsonl") && said.contains("a folder of its own"),
        "{said}"
    );
    // Measurements of every space are invested.
    let saved = registry.json(&[&["savings", "--hardware", HARDWARE][..], &elsewhere].concat());
    assert_eq!(saved["measurements"], 30, "{saved}");
}
