//! The normalized pipeline and the request, and an engine on whatever was understood of them.

use std::collections::BTreeMap;
use std::fs;

use pipec_core::engine::{Engine, Extras, Request};
use pipec_core::ir::Pipeline;
use serde_json::json;

pub fn run(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Request::parse(text);
    }
    let Ok(pipeline) = Pipeline::parse(bytes) else {
        return;
    };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let root = folder.path();
    for path in ["src", "out", ".pipec"] {
        fs::create_dir(root.join(path)).expect("it can be made");
    }
    for path in ["src/a", "out/a", "b"] {
        fs::write(root.join(path), path).expect("it can be written");
    }
    let state = root.join(".pipec");
    // Where state and stores are is never up to a pipeline.
    let request = json!({
        "tasks": pipeline.tasks.keys().collect::<Vec<_>>(),
        "state": state,
        "stores": {"file": {"root": state}},
    });
    let request = Request::parse(&request.to_string()).expect("it is one");
    let Ok(engine) = Engine::new(root, bytes, request) else {
        return;
    };
    let _ = engine.assess(&BTreeMap::new());
    for task in pipeline.tasks.keys() {
        let _ = engine.environment(task, None);
        let _ = engine.environment(task, Some(0));
        let _ = engine.input_files(task);
        let _ = engine.unmatched(task);
        let _ = engine.decide(task, &Extras::default());
        engine.failed(task);
    }
    let _ = engine.save();
}

pub fn seeds() -> Vec<Vec<u8>> {
    let pipeline = json!({
        "ir-version": 1,
        "name": "app",
        "env": {"A": "1", "B": {"var": "A", "map": {"x": "y"}}, "C": {"secret": "S"}},
        "named-inputs": {"src": [{"glob": "src/**"}, {"named": "all", "exclude": true}],
                         "all": [{"glob": "**"}]},
        "jobs": {"j": {"targets": ["b"]}},
        "tasks": {
            "a": {"inputs": [{"named": "src"}], "outputs": [{"glob": "out/**"}], "cache": {},
                  "steps": [{"kind": "shell", "command": "true", "env": {"D": "2"}}]},
            "b": {"depends-on": ["a"], "cache": {"ttl-ms": 5, "policy": "local"},
                  "structured-inputs": [{"env": "HOME"}, {"outputs-of": "a"}, {"command": "c"}],
                  "steps": [{"kind": "shell", "command": "true"}]},
        },
    });
    let request = json!({
        "tasks": ["a"], "state": "s", "stores": {"file": {"root": "s"}}, "host": {"A": "1"},
        "layers": [{"A": "1"}], "params": {"p": "v"}, "platform": "x", "run_id": "r",
        "now_ms": 5, "force": true,
    });
    [pipeline, request]
        .map(|json| json.to_string().into_bytes())
        .to_vec()
}
