//! Plugins that are Python programs: what goes wrong in them is told with their line, and costs one request.

use std::path::Path;

use lglp_tests::plugins::{listed, plugins_of};
use lglp_tests::{HARDWARE, Registry, python, readable};
use serde_json::{Value, json};

/// Gradient boosting of scikit-learn behind an encoder of its own, which misbehaves where it is told so.
const PROGRAM: &str = r#"
import io
import os
import time

import numpy as np
from sklearn.tree import DecisionTreeRegressor


class Rows:
    """choice indices"""
    kind = "encoder"
    name = "python-rows"

    def __init__(self, space, parameters):
        self.row_len = space["row_len"]

    def shape(self):
        return 1, self.row_len

    def encode(self, rows):
        return rows.astype(np.float32)[:, None, :]


class Tree:
    """a regression tree of scikit-learn"""
    kind = "regressor"
    name = "python-tree"
    parameters = {"type": "object", "properties": {"depth": {"type": "integer", "minimum": 1}}, "additionalProperties": False}

    @classmethod
    def fit(cls, parameters, data):
        rows = data.train.reshape(len(data.train), -1)
        depth = parameters.get("depth", 6)
        if depth > 20:
            raise ValueError(f"a depth of {depth} is more than 20")
        tree = DecisionTreeRegressor(max_depth=depth, random_state=data.seed).fit(rows, data.train_targets)
        parts = tree.tree_
        data.progress(1, 1, float(np.mean((tree.predict(rows) - data.train_targets) ** 2)))
        return cls(parts.children_left, parts.children_right, parts.feature, parts.threshold, parts.value.reshape(-1), rows.sum(axis=1).max())

    def __init__(self, *arrays):
        self.arrays = [np.asarray(array, dtype=np.float64).reshape(-1) for array in arrays]

    def save(self):
        state = io.BytesIO()
        np.savez(state, *self.arrays)
        return state.getvalue()

    @classmethod
    def load(cls, state_version, state):
        arrays = np.load(io.BytesIO(state), allow_pickle=False)
        return cls(*(arrays[name] for name in arrays.files))

    def predict(self, inputs):
        left, right, feature, threshold, value, largest = self.arrays
        rows = inputs.reshape(len(inputs), -1)
        if len(rows) and rows.sum(axis=1).max() > 1.06 * largest[0]:
            self.harm(rows)
        at = np.zeros(len(rows), dtype=int)
        while (inner := left[at] >= 0).any():
            goes_left = rows[np.arange(len(rows)), feature[at].astype(int).clip(0)] <= threshold[at]
            at = np.where(inner, np.where(goes_left, left[at], right[at]).astype(int), at)
        return value[at]

    def harm(self, rows):
        HARM


PLUGIN = {"name": "in-python", "version": "1.0", "summary": "A tree", "components": [Rows, Tree]}
"#;

const RECIPE: &str = "name = \"python-tree\"\ntitle = \"A tree of scikit-learn\"\n\n[encoder]\nname = \"python-rows\"\n\n\
                      [regressor]\nname = \"python-tree\"\n";

fn program(harm: &str) -> String {
    PROGRAM.replace("HARM", harm)
}

/// A registry whose plugins have this program, and the recipe of its components.
fn with_program(text: &str, interpreter: &Path) -> Registry {
    let mut registry = Registry::default();
    let folder = plugins_of(&registry);
    std::fs::write(folder.join("tree.py"), text).expect("a file");
    registry.plugins = Some(folder);
    let settings = format!("[default]\npython = \"{}\"\n", interpreter.display());
    std::fs::write(registry.folder.path().join("plugins.toml"), settings).expect("a file");
    registry.import(200);
    std::fs::write(registry.folder.path().join("recipes/python-tree.toml"), RECIPE).expect("a file");
    registry
}

fn body(is_harmful: bool) -> String {
    let one = match is_harmful {
        true => readable(1024, 4, 7, 6),
        false => readable(160, 1, 3, 3),
    };
    json!({ "architectures": [one] }).to_string()
}

#[test]
fn a_model_of_scikit_learn_is_trained_gated_and_served() {
    let registry = with_program(&program("pass"), &python());
    let plugin = registry.json(&["plugins"]);
    let plugin = listed(&plugin, "tree.py");
    let version = plugin["description"]["version"].as_str().unwrap_or_default();
    assert!(
        version.starts_with("1.0 (Python 3.") && version.contains("NumPy"),
        "{plugin}"
    );
    assert_eq!(plugin["isolation"], "process");
    let trained = registry.train("python-tree");
    assert!(
        trained["content"]["metrics"]["spearman"].as_f64() > Some(0.3),
        "{}",
        trained["content"]["metrics"]
    );
    let used = &trained["content"]["plugins"];
    assert!(used.to_string().contains("in-python"), "{used}");
    // The same seed and data give the same model.
    assert_eq!(registry.train("python-tree")["digest"], trained["digest"]);
    registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
    let server = registry.serve();
    let (status, answer) = server.post(&format!("/v1/{HARDWARE}/predict"), &body(false));
    assert_eq!(status, 200, "{answer}");
    let refused = std::fs::write(
        registry.folder.path().join("recipes/deep.toml"),
        RECIPE.replace("\"python-tree\"\ntitle", "\"deep\"\ntitle") + "parameters = { depth = 21 }\n",
    );
    refused.expect("a file");
    let said = registry.fails(&["train", "--hardware", HARDWARE, "--recipe", "deep"]);
    assert!(said.contains("a depth of 21 is more than 20"), "{said}");
}

#[test]
#[ignore = "takes long"]
fn what_goes_wrong_in_it_is_told_with_its_line() {
    let harms: [(&str, u16, &str); 5] = [
        ("return rows.no_such_thing", 500, "AttributeError"),
        ("os._exit(4)", 500, "ends its process (status 4)"),
        ("raise SystemExit(5)", 500, "SystemExit"),
        ("time.sleep(1000)", 504, "has not come back within 1 s"),
        ("bytearray(1 << 40)", 500, "MemoryError"),
    ];
    for (harm, expected, says) in harms {
        let registry = with_program(&program(harm), &python());
        registry.train("python-tree");
        registry.ok(&["promote", "--hardware", HARDWARE, "1"]);
        let server = registry.serve_with(&["--plugin-deadline", "1"]);
        let path = format!("/v1/{HARDWARE}/predict");
        assert_eq!(server.post(&path, &body(false)).0, 200, "{harm}");
        let (status, answer) = server.post(&path, &body(true));
        let detail = answer["detail"].as_str().unwrap_or_default();
        assert!(status == expected && detail.contains(says), "{harm}: {answer}");
        if says.ends_with("Error") {
            let line = 1 + program(harm)
                .lines()
                .position(|line| line.trim() == harm)
                .expect("a line");
            assert!(detail.contains(&format!("(line {line})")), "{harm}: {detail}");
        }
        server.wait(&format!("/v1/{HARDWARE}/models"), Value::is_object);
        server.wait_answered(&path, &body(false), harm);
    }
}

#[test]
fn a_program_that_cannot_be_run_says_why() {
    let without = Path::new("/usr/bin/python3");
    let broken = program("pass").replace("PLUGIN = {", "PLUGIN = {{");
    let wrong_kind = program("pass").replace("kind = \"encoder\"", "kind = \"encode\"");
    // A thread of it that became another program did not end with lglp.
    let becomes = "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'pass'])\n".to_owned();
    for (text, interpreter, says) in [
        (becomes, python(), "[Errno 1] Operation not permitted (line 2)"),
        (broken, python(), "SyntaxError"),
        (wrong_kind, python(), "Rows.kind is 'encode', none of encoder"),
        (program("pass").replace("PLUGIN =", "plugin ="), python(), "PLUGIN"),
        (
            program("pass"),
            "/nowhere/python3".into(),
            "cannot start the Python interpreter /nowhere/python3",
        ),
    ] {
        let registry = with_program(&text, &interpreter);
        let plugins = registry.json(&["plugins"]);
        let said = listed(&plugins, "tree.py")["unavailable"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(said.contains(says), "{says}: {said}");
    }
    // One without scikit-learn, if not without NumPy.
    if without.exists() {
        let registry = with_program(&program("pass"), without);
        let plugins = registry.json(&["plugins"]);
        let said = listed(&plugins, "tree.py").to_string();
        assert!(
            said.contains("No module named '") && said.contains("the interpreter is /usr/bin/python3"),
            "{said}"
        );
    }
}
