//! `indexer CONTENT INDEX`: reads every Markdown file of a folder and writes the search index.

mod index;
mod page;
mod words;

use page::Page;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [content, output] = arguments.as_slice() else {
        eprintln!("usage: indexer CONTENT INDEX");
        return ExitCode::from(2);
    };
    match build(Path::new(content), Path::new(output)) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            eprintln!("indexer: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn build(content: &Path, output: &Path) -> Result<String, String> {
    let pages = read_pages(content)?;
    let terms = index::terms(&pages);
    fs::write(output, index::to_json(&pages, &terms))
        .map_err(|trouble| format!("{}: {trouble}", output.display()))?;
    Ok(format!("{} words of {} pages", terms.len(), pages.len()))
}

fn read_pages(content: &Path) -> Result<Vec<Page>, String> {
    let told = |trouble| format!("{}: {trouble}", content.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(content).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    // A folder is listed in any order; the index must not depend on it.
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let slug = path.file_stem().unwrap_or_default().to_string_lossy();
            Page::parse(&slug, &text)
        })
        .collect()
}
