//! Writes the inputs that fuzzing begins with:  seeds FOLDER [TARGET...]
//!
//! Each target has a folder of its own there. `seeds` alone lists the targets.

use std::path::Path;
use std::{fs, io};

use otr_fuzz::{TARGETS, seeds};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        for target in TARGETS {
            println!("{}", target.name);
        }
        return Ok(());
    };
    let wanted: Vec<_> = arguments.collect();
    for target in TARGETS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == target.name) {
            continue;
        }
        let folder = Path::new(&folder).join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, input) in seeds::of(target.name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:02}")), input)?;
        }
    }
    Ok(())
}
