//! `template`: renders a template to a file of the host.

use super::{Context, Prepared, Remote, encoding, files, flag, local_tmp, text};
use crate::diag::{Error, Kind, Result};
use crate::modules::HEADER;
use crate::template::FileOptions;
use crate::value::{Dict, Value};

/// Parameters that shape the rendering and are not the file module's business.
const OWN: &[&str] = &[
    "newline_sequence",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "output_encoding",
];

pub(super) fn run(context: &Context, args: Dict) -> Result<Prepared> {
    let (Some(src), Some(_)) = (text(&args, "src"), text(&args, "dest")) else {
        return Err(Error::new(Kind::Argument, "src and dest are required"));
    };
    if text(&args, "state").is_some() {
        return Err(Error::new(
            Kind::Argument,
            "'state' cannot be specified on a template",
        ));
    }
    let newline = match text(&args, "newline_sequence").as_deref() {
        None => None,
        Some("\n" | "\\n") => Some("\n".to_owned()),
        Some("\r" | "\\r") => Some("\r".to_owned()),
        Some("\r\n" | "\\r\\n") => Some("\r\n".to_owned()),
        Some(_) => {
            return Err(Error::new(
                Kind::Argument,
                "newline_sequence needs to be one of: \n, \r or",
            ));
        }
    };
    let encoding = text(&args, "output_encoding").unwrap_or_else(|| "utf-8".to_owned());
    let path = files::find(context, "templates", &src)?;
    if path.is_dir() {
        let shown = path.display();
        return Err(Error::new(
            Kind::Io,
            format!(
                "An error occurred while trying to read the file '{shown}': [Errno 21] Is a directory: '{shown}'"
            ),
        ));
    }
    let string = |name: &str| text(&args, name);
    let options = FileOptions {
        newline_sequence: newline,
        block_start: string("block_start_string"),
        block_end: string("block_end_string"),
        variable_start: string("variable_start_string"),
        variable_end: string("variable_end_string"),
        comment_start: string("comment_start_string"),
        comment_end: string("comment_end_string"),
        trim_blocks: flag(&args, "trim_blocks", true),
        lstrip_blocks: flag(&args, "lstrip_blocks", false),
        vars: None,
        dest: text(&args, "dest"),
    };
    let rendered = context
        .templar
        .render_file(&path, context.search_path, &options)?;
    let module_args = Dict::new();
    for (key, value) in args.to_vec() {
        if key.as_str().is_some_and(|name| !OWN.contains(&name)) {
            module_args.set_key(key, value);
        }
    }
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    files::preserve_mode(&module_args, &path)?;
    module_args.set("src", path.to_string_lossy().as_ref());
    module_args.set(HEADER, format!("{}tmp0/{name}", local_tmp()));
    module_args.set("_original_basename", name);
    // Links are replaced by default: `follow` differs from `copy`'s own default.
    if !module_args.contains("follow") {
        module_args.set("follow", Value::Bool(false));
    }
    Ok(Prepared::Remote(Remote {
        module: "copy".into(),
        args: module_args,
        content: Some(encoding::encode(&rendered, &encoding)?),
    }))
}
