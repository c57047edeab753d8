//! `gqldump demo`.

use std::io::{BufWriter, Write as _};

use crate::cli::arguments::{DemoArguments, DemoCommand};
use crate::demo::{greeting, serve_until_interrupted, write_rows};

pub(super) fn demo(arguments: DemoArguments) -> anyhow::Result<u8> {
    match arguments.command {
        DemoCommand::Serve(options) => {
            let server = options.start()?;
            let mut output = std::io::stdout();
            write!(output, "{}", greeting(&server))?;
            output.flush()?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let log = runtime.block_on(serve_until_interrupted(server))?;
            writeln!(output, "{}", serde_json::to_string_pretty(&log)?)?;
        }
        DemoCommand::Rows(options) => write_rows(&options, &mut BufWriter::new(std::io::stdout()))?,
    }
    Ok(0)
}
