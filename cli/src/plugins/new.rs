//! `lglp plugin new`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use lglp_engine::host::ComponentKind;

use crate::Context;

/// What a plugin provides.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Architectures become numbers.
    Encoder,
    /// What encoders give becomes features.
    Extractor,
    /// A prediction of either.
    Regressor,
    /// Runs networks on a device, and times them.
    Runtime,
}

/// What it is written in.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    Rust,
    C,
    /// With NumPy; not for runtimes.
    Python,
}

/// A file of a project: its name, and its text with `@name@` and the like in it.
type File<'a> = (&'a str, &'static str);

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Extractor => "extractor",
            Self::Regressor => "regressor",
            Self::Runtime => "runtime",
        }
    }

    fn provided(self) -> ComponentKind {
        match self {
            Self::Encoder => ComponentKind::Encoder,
            Self::Extractor => ComponentKind::FeatureExtractor,
            Self::Regressor => ComponentKind::Regressor,
            Self::Runtime => ComponentKind::Runtime,
        }
    }

    fn in_rust(self) -> &'static str {
        match self {
            Self::Encoder => include_str!("../../../sdk/templates/rust/encoder.rs"),
            Self::Extractor => include_str!("../../../sdk/templates/rust/extractor.rs"),
            Self::Regressor => include_str!("../../../sdk/templates/rust/regressor.rs"),
            Self::Runtime => include_str!("../../../sdk/templates/rust/runtime.rs"),
        }
    }

    fn in_c(self) -> &'static str {
        match self {
            Self::Encoder => include_str!("../../../sdk/templates/c/encoder.c"),
            Self::Extractor => include_str!("../../../sdk/templates/c/extractor.c"),
            Self::Regressor => include_str!("../../../sdk/templates/c/regressor.c"),
            Self::Runtime => include_str!("../../../sdk/templates/c/runtime.c"),
        }
    }

    /// The program and its tests; none of a runtime.
    fn in_python(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Encoder => Some((
                include_str!("../../../sdk/templates/python/encoder.py"),
                include_str!("../../../sdk/templates/python/test_encoder.py"),
            )),
            Self::Extractor => Some((
                include_str!("../../../sdk/templates/python/extractor.py"),
                include_str!("../../../sdk/templates/python/test_extractor.py"),
            )),
            Self::Regressor => Some((
                include_str!("../../../sdk/templates/python/regressor.py"),
                include_str!("../../../sdk/templates/python/test_regressor.py"),
            )),
            Self::Runtime => None,
        }
    }

    /// How a recipe names it; a runtime is named by a hardware target.
    fn recipe(self) -> Option<&'static str> {
        match self {
            Self::Encoder => Some(include_str!("../../../sdk/templates/encoder.toml")),
            Self::Extractor => Some(include_str!("../../../sdk/templates/extractor.toml")),
            Self::Regressor => Some(include_str!("../../../sdk/templates/regressor.toml")),
            Self::Runtime => None,
        }
    }
}

/// The header that plugins in C are written against.
const HEADER: &str = include_str!("../../../sdk/include/lglp_plugin.h");

/// Begin a plugin: a project that builds, passes its tests and `lglp plugin check`, and is served as it is
#[derive(clap::Args)]
pub(super) struct Args {
    /// What plugin and component are to be called: a-z, 0-9 and '-', a letter first.
    name: String,
    /// What it is to provide.
    #[arg(long, value_enum)]
    kind: Kind,
    /// What it is to be written in.
    #[arg(long, value_enum, default_value = "rust")]
    language: Language,
    /// The folder to make, which must not be there [default: the name].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Folder of the crate lglp-sdk [default: the one that this program was built from, if it is there; else the published
    /// one].
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    let name = &*args.name;
    ensure!(
        name.len() <= 40
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
        "a plugin's name has a-z, 0-9 and '-', a letter first, 40 characters at most; not `{name}`"
    );
    if let Some(file) = context
        .plugins()
        .ok()
        .and_then(|host| host.file_of(args.kind.provided(), name))
    {
        bail!(
            "{} has an {} `{name}` already: take another name",
            file.display(),
            args.kind.word()
        );
    }
    let folder = args.output.clone().unwrap_or_else(|| PathBuf::from(name));
    ensure!(
        !folder.exists(),
        "{} is there already: name another folder by --output",
        folder.display()
    );
    let filled = Filled {
        name,
        sdk: sdk(args.sdk.as_deref())?,
        kind: args.kind,
    };
    let program = format!("{}.py", name.replace('-', "_"));
    let (files, library): (Vec<File<'_>>, String) = match args.language {
        Language::Rust => (
            vec![
                (
                    "Cargo.toml",
                    include_str!("../../../sdk/templates/rust/Cargo.toml.template"),
                ),
                ("src/lib.rs", args.kind.in_rust()),
                ("README.md", include_str!("../../../sdk/templates/rust/README.md")),
            ],
            format!("target/release/lib{}.so", name.replace('-', "_")),
        ),
        Language::C => (
            vec![
                ("plugin.c", args.kind.in_c()),
                ("lglp_plugin.h", HEADER),
                ("Makefile", include_str!("../../../sdk/templates/c/Makefile")),
                ("README.md", include_str!("../../../sdk/templates/c/README.md")),
            ],
            format!("{name}.so"),
        ),
        Language::Python => {
            let Some((source, tests)) = args.kind.in_python() else {
                bail!(
                    "a runtime measures, which the start of a Python program would be in the way of: write it in Rust or C"
                );
            };
            let readme = include_str!("../../../sdk/templates/python/README.md");
            let files = vec![(&*program, source), ("test_plugin.py", tests), ("README.md", readme)];
            (files, program.clone())
        }
    };
    let recipe = args.kind.recipe().map(|text| ("recipe.toml", text));
    for (file, text) in files.into_iter().chain(recipe) {
        let path = folder.join(file);
        let within = path.parent().unwrap_or(&folder);
        std::fs::create_dir_all(within).with_context(|| format!("cannot make the folder {}", within.display()))?;
        std::fs::write(&path, filled.text(text)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let folder = folder.display();
    let build = match args.language {
        Language::Rust => "cargo test && cargo build --release",
        Language::C => "make test",
        Language::Python => "python3 -m unittest",
    };
    println!(
        "{folder} has a whole {}; its README says how it goes on:",
        args.kind.word()
    );
    println!("  cd {folder} && {build} && lglp plugin check {library}");
    Ok(())
}

/// What stands in a manifest for the SDK.
fn sdk(given: Option<&Path>) -> anyhow::Result<String> {
    let built_from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../sdk"));
    let folder = match given {
        Some(folder) => folder,
        None if built_from.join("Cargo.toml").exists() => built_from,
        None => return Ok(format!("{:?}", env!("CARGO_PKG_VERSION"))),
    };
    let folder = folder
        .canonicalize()
        .with_context(|| format!("--sdk {}", folder.display()))?;
    ensure!(
        folder.join("src/plugin").is_dir(),
        "--sdk {}: it is not the folder of the crate lglp-sdk",
        folder.display()
    );
    Ok(format!("{{ path = {:?} }}", folder.display().to_string()))
}

/// Names that Rust has for something else.
const TAKEN: [&str; 7] = ["Self", "Option", "Result", "Vec", "String", "Box", "Default"];

/// What stands for the words of a template.
struct Filled<'a> {
    name: &'a str,
    sdk: String,
    kind: Kind,
}

impl Filled<'_> {
    fn text(&self, template: &str) -> String {
        let crate_name = self.name.replace('-', "_");
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_ascii_uppercase().to_string() + letters.as_str()
            })
        };
        let type_name: String = self.name.split('-').map(capital).collect();
        // Names that a template has for something else.
        let is_taken = template.contains(&format!(" {type_name}")) || TAKEN.contains(&&*type_name);
        let type_name = if is_taken { type_name + "Plugin" } else { type_name };
        template
            .replace("@name@", self.name)
            .replace("@crate@", &crate_name)
            .replace("@Type@", &type_name)
            .replace("@sdk@", &self.sdk)
            .replace("@kind@", self.kind.word())
    }
}
