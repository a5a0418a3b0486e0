//! TensorRT's libraries, found and opened when the program runs.

use std::path::{Path, PathBuf};

use lglp_sdk::helper::Refusal;
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use crate::shim::{self, Create, CreateParser};
use crate::wire::Found;

/// TensorRT with its ONNX parser, in the order in which they are looked for.
const NAMES: [(&str, &str); 3] = [
    ("libnvinfer.so.11", "libnvonnxparser.so.11"),
    ("libnvinfer.so.10", "libnvonnxparser.so.10"),
    ("libtensorrt_rtx.so.1", "libtensorrt_onnxparser_rtx.so.1"),
];

/// TensorRT that can be called.
pub(crate) struct TensorRt {
    pub shim: shim::Library,
    pub found: Found,
}

/// What TensorRT there is.
pub(crate) fn find(library: Option<&Path>) -> Result<Found, Refusal> {
    Ok(open(library)?.found)
}

/// Opens TensorRT: a file, a folder that has it, or wherever the loader finds it.
pub(crate) fn open(library: Option<&Path>) -> Result<TensorRt, Refusal> {
    let candidates: Vec<(PathBuf, PathBuf)> = match library {
        None => NAMES
            .iter()
            .map(|(main, parser)| (main.into(), parser.into()))
            .collect(),
        Some(path) if path.is_dir() => {
            let there = NAMES.iter().filter(|(main, _)| path.join(main).is_file());
            there
                .map(|(main, parser)| (path.join(main), path.join(parser)))
                .collect()
        }
        Some(path) => vec![(path.to_owned(), beside(path)?)],
    };
    let mut reasons = Vec::new();
    for (main, parser) in candidates {
        // SAFETY: initialisers of a library that the user, or the system, names as TensorRT.
        match unsafe { Library::open(Some(&main), RTLD_NOW | RTLD_GLOBAL) } {
            Ok(opened) => return with_parser(opened, &parser),
            Err(problem) => reasons.push(told(&problem)),
        }
    }
    let names = NAMES.map(|(main, _)| main).join(", ");
    let place = library.map_or_else(
        || "where the loader looks".to_owned(),
        |path| format!("in {}", path.display()),
    );
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join("; "))
    };
    Err(Refusal::Unavailable(format!(
        "no TensorRT: none of {names} can be opened {place}{reasons}; name its file or folder by the setting `library`"
    )))
}

/// The parser that belongs to a library, which lies beside it.
fn beside(main: &Path) -> Result<PathBuf, Refusal> {
    let name = main.file_name().unwrap_or_default().to_string_lossy();
    let pair = NAMES.iter().find(|(known, _)| name.starts_with(known));
    let (_, parser) = pair.ok_or_else(|| {
        let names = NAMES.map(|(main, _)| main).join(", ");
        Refusal::Unavailable(format!(
            "library is {}; expected a folder, or one of {names}",
            main.display()
        ))
    })?;
    Ok(main.with_file_name(parser))
}

fn with_parser(main: Library, parser: &Path) -> Result<TensorRt, Refusal> {
    let version = version(&main)?;
    let (major, minor, patch) = (version / 10_000, version / 100 % 100, version % 100);
    let rtx = if major == 1 { "RTX " } else { "" };
    let text = format!("{rtx}{major}.{minor}.{patch}");
    // SAFETY: it looks the number up.
    if unsafe { shim::lglp_layout(version) }.is_null() {
        return Err(Refusal::Unavailable(format!(
            "TensorRT {text} is not called as a library, since where it keeps its functions is not known here (known: \
             10.0 to 10.16, 11.0 to 11.4, RTX 1.3 to 1.7); use --set route=trtexec"
        )));
    }
    // SAFETY: as for TensorRT itself.
    let parser = unsafe { Library::open(Some(parser), RTLD_NOW | RTLD_GLOBAL) }.map_err(|problem| {
        Refusal::Unavailable(format!(
            "TensorRT {text} is there, its ONNX parser is not: {}",
            told(&problem)
        ))
    })?;
    // SAFETY: the signatures are those of NVIDIA's headers, in every version that is known here.
    let shim = unsafe {
        shim::Library {
            version,
            create_builder: symbol::<Create>(&main, "createInferBuilder_INTERNAL")?,
            create_runtime: symbol::<Create>(&main, "createInferRuntime_INTERNAL")?,
            create_parser: symbol::<CreateParser>(&parser, "createNvOnnxParser_INTERNAL")?,
            parser_version: symbol::<extern "C" fn() -> i32>(&parser, "getNvOnnxParserVersion")?(),
            say: shim::say,
        }
    };
    // They have threads of their own by now.
    std::mem::forget((main, parser));
    let found = Found {
        version: text,
        strongly_typed: major != 10,
    };
    Ok(TensorRt { shim, found })
}

/// What the loader said.
pub(crate) fn told(problem: &libloading::Error) -> String {
    std::error::Error::source(problem).map_or_else(|| problem.to_string(), ToString::to_string)
}

/// 10000 * major + 100 * minor + patch.
fn version(library: &Library) -> Result<i32, Refusal> {
    type Part = extern "C" fn() -> i32;
    // SAFETY: functions without arguments, under these names since TensorRT 10; `getInferLibVersion` is older.
    unsafe {
        let Ok(major) = symbol::<Part>(library, "getInferLibMajorVersion") else {
            let older = symbol::<Part>(library, "getInferLibVersion")?();
            return Ok(older / 1000 * 10_000 + older % 1000);
        };
        let minor = symbol::<Part>(library, "getInferLibMinorVersion")?;
        let patch = symbol::<Part>(library, "getInferLibPatchVersion")?;
        Ok(10_000 * major() + 100 * minor() + patch())
    }
}

/// # Safety
/// The symbol is of type `T`.
unsafe fn symbol<T: Copy>(library: &Library, name: &str) -> Result<T, Refusal> {
    // SAFETY: by the contract of this function.
    let symbol = unsafe { library.get::<T>(name.as_bytes()) };
    symbol
        .map(|symbol| *symbol)
        .map_err(|problem| Refusal::Unavailable(format!("this is no TensorRT, or a broken one: {}", told(&problem))))
}
